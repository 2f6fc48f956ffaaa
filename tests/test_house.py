"""The shape of the house: imports run one way, one package knows the SDK, and files and functions stay short."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT

MODULES = [
    path
    for folder in ("config", "conversations", "extraction")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
]

TESTS = list((ROOT / "tests").rglob("*.py"))

FILE_LIMIT = 300  # lines
FUNCTION_LIMIT = 40  # lines, without decorators
DOCSTRING_LEAST = 4  # words

# No module of the folder or file on the left imports any of those on the right.
FORBIDDEN = {
    "conversations": ("config", "extraction"),
    "extraction": ("config",),
    "conversations/transcript.py": ("conversations", "django"),
    "conversations/folding.py": ("conversations.models", "conversations.services", "conversations.claude", "django"),
    "conversations/history.py": ("conversations.models", "conversations.services", "conversations.claude", "django"),
    "conversations/pairing.py": ("conversations", "django"),
    "conversations/models": ("conversations.services", "conversations.api", "conversations.ws", "conversations.engine"),
    "conversations/services": ("conversations.api", "conversations.ws", "conversations.engine", "conversations.follow"),
    "conversations/journal.py": ("conversations.services", "conversations.api", "conversations.ws"),
    "conversations/follow.py": ("conversations.services", "conversations.api", "conversations.ws"),
    "conversations/turns.py": ("conversations.api", "conversations.ws"),
    "conversations/claude": ("conversations.models", "conversations.services", "conversations.api"),
    "conversations/claude/sandbox": ("django",),
}


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def under(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("place", FORBIDDEN)
def test_imports_run_one_way(place: str) -> None:
    files = [path for path in MODULES if path.relative_to(ROOT).as_posix().startswith(place)]
    assert files
    for path in files:
        for name in imports_of(path):
            assert not any(under(name, package) for package in FORBIDDEN[place]), f"{path.name} imports {name}"


def test_one_package_knows_the_sdk() -> None:
    knowing = {
        path.relative_to(ROOT).as_posix() for path in MODULES if any(under(n, "anthropic") for n in imports_of(path))
    }
    assert knowing == {f"conversations/claude/{name}.py" for name in ("client", "errors", "transport")}


# What takes long to import, and what only a process that serves, asks Claude or prices requests needs.
HEAVY = ["aiohttp", "anthropic", "daphne", "genai_prices", "jsonschema", "twisted", "unfold.admin", "uvicorn"]


def test_setting_django_up_imports_nothing_heavy() -> None:
    """Every command pays for what the apps and their models import."""
    code = f"import sys, django; django.setup(); print([name for name in {HEAVY} if name in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_is_long() -> None:
    long = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in [*MODULES, *TESTS]}
    assert {name: lines for name, lines in long.items() if lines > FILE_LIMIT} == {}


def test_no_function_is_long() -> None:
    for path in [*MODULES, *TESTS]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= FUNCTION_LIMIT, f"{path.relative_to(ROOT)}: {node.name} has {lines} lines"


def docstrings_of(path: Path) -> Iterator[tuple[str, int]]:
    """The strings that stand by themselves, with their lines: docstrings, also those of attributes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value, node.lineno


def test_docstrings_are_sentences() -> None:
    for path in MODULES:
        for text, line in docstrings_of(path):
            assert len(text.split()) >= DOCSTRING_LEAST, f"{path.relative_to(ROOT)}:{line}: {text}"
