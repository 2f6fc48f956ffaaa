"""The environment of the test run; a plugin (`-p tests.environment`), since Django's settings read it once, early."""

from __future__ import annotations

import atexit
import compileall
import os
import tempfile
from pathlib import Path

# Many processes are started: none is to compile what another one has, whatever PYTHONDONTWRITEBYTECODE says.
if "PYTEST_XDIST_WORKER" not in os.environ:
    for package in ("config", "conversations", "extraction"):
        compileall.compile_dir(Path(__file__).resolve().parent.parent / package, quiet=1)

# The folder's path must be short: a Unix socket's has to fit into 103 characters.
folder = tempfile.TemporaryDirectory(prefix="cq", ignore_cleanup_errors=True)
atexit.register(folder.cleanup)
os.environ["COLLOQUY_DATA_DIR"] = folder.name
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "DJANGO_DEBUG", "DJANGO_ALLOWED_HOSTS"):
    os.environ.pop(name, None)
