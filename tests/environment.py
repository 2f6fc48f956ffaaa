"""Environment variables of the test run; a plugin (`-p tests.environment`), since Django reads its settings early."""

from __future__ import annotations

import atexit
import compileall
import os
import sys
import tempfile
from pathlib import Path

import config  # noqa: F401 - the garbage collector is to be as seldom as in the platform's processes

# Many processes are started, which share compiled modules, whatever PYTHONDONTWRITEBYTECODE says.
if "PYTEST_XDIST_WORKER" not in os.environ:
    for package in ("config", "conversations", "extraction"):
        compileall.compile_dir(Path(__file__).resolve().parent.parent / package, quiet=1)

# Pytest, too, keeps what it has compiled, since each of its processes reads all test files.
sys.dont_write_bytecode = False


def folder(prefix: str, within: str | None = None) -> str:
    """Create a temporary folder, which is removed when this process ends; return its path.

    Its path must be short: that of a Unix socket has to fit into 103 characters.
    """
    made = tempfile.TemporaryDirectory(prefix=prefix, dir=within, ignore_cleanup_errors=True)
    atexit.register(made.cleanup)
    return made.name


if "TEST_RUN_DIR" not in os.environ:  # what all processes of this run share
    os.environ["TEST_RUN_DIR"] = folder("cq")
os.environ["COLLOQUY_DATA_DIR"] = folder("", os.environ["TEST_RUN_DIR"])
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "DJANGO_DEBUG", "DJANGO_ALLOWED_HOSTS"):
    os.environ.pop(name, None)
