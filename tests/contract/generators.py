"""Generators of clients, and the linter of the document: installed once, into the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import fasteners
import pytest

NODE_PACKAGES = {
    "@asyncapi/parser": "3.6.6",
    "@redocly/cli": "2.77.0",
    "openapi-fetch": "0.17.0",
    "openapi-typescript": "7.13.0",
    "typescript": "5.9.3",
}
AXE = {"axe-core": "4.14.1"}
PYTHON_PACKAGES = ("openapi-python-client==0.29.1", "mypy==2.4.1")
INSTALLING = 300  # seconds; afterwards they are there


def node_tools() -> Path:
    """Return a folder with the packages in its `node_modules`. Skip the test where there is no Node or registry."""
    return _node_packages(NODE_PACKAGES)


def axe() -> str:
    """Return the script that finds what keeps people from using a page. Skip the test as `node_tools`."""
    return (_node_packages(AXE) / "node_modules/axe-core/axe.min.js").read_text()


def _node_packages(packages: Mapping[str, str]) -> Path:
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("Node is not installed")
    manifest = json.dumps({"private": True, "type": "module", "dependencies": packages})

    def install(folder: Path) -> None:
        (folder / "package.json").write_text(manifest)
        run(["npm", "install", "--silent", "--no-audit", "--no-fund"], folder, timeout=INSTALLING)

    return _installed(f"node-{_digest(manifest)}", install)


def python_tools() -> Path:
    """Return the folder of the programs of a virtual environment. Skip the test where there is no registry."""

    def install(folder: Path) -> None:
        run([sys.executable, "-m", "venv", "."], folder, timeout=INSTALLING)
        run(["bin/python", "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES], folder, timeout=INSTALLING)

    return _installed(f"python-{_digest(' '.join(PYTHON_PACKAGES) + sys.version)}", install) / "bin"


def run(
    command: Sequence[str | Path], folder: Path, timeout: float = 120, environment: Mapping[str, str] | None = None
) -> str:
    """Run a program in a folder and return what it printed. Fails the test if the program failed."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _installed(name: str, install: Callable[[Path], None]) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "colloquy-tests"
    folder, whole = cache / name, cache / name / "installed"
    cache.mkdir(parents=True, exist_ok=True)
    with fasteners.InterProcessLock(cache / f"{name}.lock"):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                install(folder)
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                pytest.skip(f"The registry is away: {error}")
            whole.touch()
    return folder
