"""Node's client generators, linters and compilers, installed once into the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import fasteners
import pytest

COMPILER = "typescript-native"
PACKAGES = {
    "@redocly/cli": "2.77.0",
    "openapi-fetch": "0.17.0",
    "openapi-typescript": "7.13.0",
    "typescript": "5.9.3",  # a dependency of openapi-typescript
    COMPILER: "npm:typescript@7.0.2",  # takes a fifth of the time
}
AXE, ASYNCAPI_PARSER = "axe-core@4.14.1", "@asyncapi/parser@3.6.6"
INSTALLING = 300  # seconds, once per machine


def node_tools() -> Path:
    """Return a folder with the packages in its `node_modules`. Skip the test where there is no Node or registry."""
    manifest = json.dumps({"private": True, "type": "module", "dependencies": PACKAGES})

    def install(folder: Path) -> None:
        (folder / "package.json").write_text(manifest)
        _npm(folder, "install", "--no-audit", "--no-fund")

    return _installed(f"node-{_digest(manifest)}", install) / "node_modules"


def compile_types(folder: Path, *options: str | Path) -> None:
    """Have TypeScript check the files in a folder, or those that the options name. Skip as `node_tools`."""
    run(["node", node_tools() / COMPILER / "bin" / "tsc", "--singleThreaded", *options], folder)


def axe() -> str:
    """Return the script of axe, the accessibility checker. Skip as `node_tools`."""
    return _bundle(AXE, "axe.min.js").read_text()


def asyncapi_parser() -> Path:
    """Return AsyncAPI's parser as a single browser script, which needs none of its hundred dependencies."""
    return _bundle(ASYNCAPI_PARSER, "browser/index.js")


def _bundle(package: str, script: str) -> Path:
    """Return a self-contained script of a package, without installing the package's dependencies."""

    def install(folder: Path) -> None:
        run(["tar", "-xzf", _npm(folder, "pack", package).strip()], folder)

    return _installed(f"bundle-{_digest(package)}", install) / "package" / script


def _npm(folder: Path, *arguments: str) -> str:
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("Node is not installed")
    return run(["npm", *arguments, "--silent"], folder, timeout=INSTALLING)


def run(
    command: Sequence[str | Path], folder: Path, timeout: float = 120, environment: Mapping[str, str] | None = None
) -> str:
    """Run a program in a folder; return its output. Fail the test if the program fails."""
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
