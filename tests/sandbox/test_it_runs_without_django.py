"""The sandbox is a program of its own: its imports work without Django settings."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.processes import ROOT

CODE = "import conversations.sandbox.server; from conversations.claude import catalogue; catalogue.all_models()"


def test_the_catalogue_is_there_without_django() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
