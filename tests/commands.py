"""Running `manage.py` commands in a folder of their own, without the environment of the test run."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tests.forked import Forked
from tests.processes import ROOT, STARTUP

OURS = ("DATABASE_URL", "ANTHROPIC_", "DJANGO_", "COLLOQUY_")


def environment(folder: str | Path, **variables: str) -> dict[str, str]:
    """Return the environment of a new user's shell, with the data folder set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "COLLOQUY_DATA_DIR": str(folder), "COLLOQUY_SANDBOX_PACE": "0", **variables}


def manage(folder: str | Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command until it ends by itself."""
    with tempfile.TemporaryDirectory() as written:
        out, err = Path(written, "out"), Path(written, "err")
        process = Forked(["manage.py", *arguments], str(ROOT), environment(folder, **variables), (str(out), str(err)))
        code = process.wait(STARTUP)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())
