"""What a process of the platform does not import: libraries that take seconds, for what only some requests need."""

from __future__ import annotations

import subprocess
import sys

from tests.processes import ROOT

DEAR = ("jsonschema", "rfc3987_syntax", "lark", "jsonschema_rs", "regress", "extraction.schemas", "extraction.answers")
STARTED = "import config.asgi, config.urls, sys; print('\\n'.join(sys.modules))"


def test_a_process_that_serves_imports_no_validator() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; {STARTED}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    modules = set(loaded.stdout.split())
    assert "extraction.checks" in modules
    assert not modules & set(DEAR)
