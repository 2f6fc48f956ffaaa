"""The project's structure: imports run one way, one package uses the SDK, and files and functions stay short."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
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

SCRIPTS = [
    path
    for folder in ("conversations/static", "extraction/static", "tests/client")
    for path in (ROOT / folder).rglob("*.js")
    if "vendor" not in path.parts
]

FILE_LIMIT = 300  # lines
LINE_LIMIT = 120  # characters
FUNCTION_LIMIT = 40  # lines, without decorators
DOCSTRING_LEAST = 4  # words

# The layers, from the top: a package ("room") imports from lower layers ("floors"), not from others of its own layer.
FLOORS = [
    ["config"],
    ["extraction"],
    ["conversations.admin", "conversations.archives", "conversations.front", "conversations.ws"],
    ["conversations.api", "conversations.management"],
    ["conversations.follow"],
    ["conversations.running"],
    ["conversations.sandbox", "conversations.templatetags"],
    ["conversations.services.deletion"],
    ["conversations.services"],
    ["conversations.services.turns"],
    ["conversations.services.billing"],
    ["conversations.services.accounts", "conversations.services.files"],
    ["conversations.services.best_effort", "conversations.services.notices"],
    ["conversations.tools"],
    ["conversations.tool_calls", "conversations.streaming"],
    ["conversations.models"],
    ["conversations.claude"],
    ["conversations.content"],
    [
        "conversations.clock",
        "conversations.database",
        "conversations.fields",
        "conversations.log_context",
        "conversations.rates",
        "conversations.tables",
    ],
    ["conversations.database_faults", "conversations.exact_json", "conversations.loop_local"],
    ["conversations.pdf_check_process"],
    ["conversations.pdf_opening"],
    ["conversations.errors"],
    ["conversations.contract"],
    ["conversations.asgi_types", "conversations.json_types"],
]

# Packages that are pure, or run without the platform, and the libraries that they must not import.
FORBIDDEN = {
    "conversations/content": ("django", "psycopg", "anthropic"),
    "conversations/contract": ("django", "psycopg", "anthropic"),
    "conversations/sandbox": ("django",),
}


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Return all nodes of a file's syntax tree. Cached, since parsing is slow and several tests need it."""
    return list(ast.walk(ast.parse(path.read_text())))


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """Clear the cached syntax trees after the last test of this file: they are large."""
    yield
    nodes.cache_clear()


def imports_of(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "conversations":
            yield from (f"conversations.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def under(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def floor_of(name: str) -> int | None:
    """Return the number of the floor on which a module stands, 0 for the top; None if it has no floor."""
    room = room_of(name)
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), None)


def room_of(name: str) -> str | None:
    """Return the innermost room in which a module stands; None if it is in none."""
    return max((room for rooms in FLOORS for room in rooms if under(name, room)), key=len, default=None)


def test_every_module_has_a_floor() -> None:
    without = {module(path) for path in MODULES if floor_of(module(path)) is None}
    assert without <= {"conversations", "conversations.apps"}


def rooms_climbed(path: Path) -> Iterator[str]:
    """Yield the imports of a module that do not lead to a lower floor."""
    name = module(path)
    here = floor_of(name)
    for imported in imports_of(path):
        there = floor_of(imported)
        if here is not None and there is not None and here >= there and room_of(imported) != room_of(name):
            yield f"{name} imports {imported}"


def test_imports_go_down() -> None:
    assert [climbed for path in MODULES for climbed in rooms_climbed(path)] == []


@pytest.mark.parametrize("place", FORBIDDEN)
def test_what_is_pure_imports_nothing_else(place: str) -> None:
    files = [path for path in MODULES if path.relative_to(ROOT).as_posix().startswith(place)]
    assert files
    for path in files:
        for name in imports_of(path):
            assert not any(under(name, package) for package in FORBIDDEN[place]), f"{path.name} imports {name}"


def test_one_package_knows_the_sdk() -> None:
    knowing = {
        path.relative_to(ROOT).as_posix() for path in MODULES if any(under(n, "anthropic") for n in imports_of(path))
    }
    talking = {f"conversations/claude/{name}.py" for name in ("client", "error_mapping", "transport")}
    assert knowing == talking | {"conversations/sandbox/sdk_shapes.py"}  # the sandbox acts as Claude


# Libraries that are slow to import, and are needed only to serve, to call Claude or to price requests.
HEAVY = ["aiohttp", "anthropic", "daphne", "genai_prices", "jsonschema", "twisted", "unfold.admin", "uvicorn"]


def test_setting_django_up_imports_nothing_heavy() -> None:
    """Every management command would pay for it."""
    code = f"import sys, django; django.setup(); print([name for name in {HEAVY} if name in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


STATE = {"dict", "list", "set", "defaultdict", "deque", "Counter", "OrderedDict"}
STATEFUL = {"config.local": "it starts servers before there is an app"}


def state_in(path: Path) -> Iterator[str]:
    """Yield the mutable state of a module: empty collections, and names that functions declare global."""
    for node in ast.iter_child_nodes(nodes(path)[0]):
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        made = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
        empty = isinstance(value, ast.Dict | ast.List) and not ast.unparse(value)[1:-1]
        if empty or made in STATE or made.startswith("Weak"):
            yield f"{module(path)}: {ast.unparse(node)}"
    yield from (f"{module(path)}: global" for node in nodes(path) if isinstance(node, ast.Global))


def test_no_module_keeps_state() -> None:
    """State belongs to the engine, the event loop or the app (conversations/apps.py)."""
    assert [each for path in MODULES if module(path) not in STATEFUL for each in state_in(path)] == []


def test_no_file_is_long() -> None:
    files = [*MODULES, *TESTS, *SCRIPTS]
    long = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in files}
    assert {name: lines for name, lines in long.items() if lines > FILE_LIMIT} == {}


def test_no_line_of_a_script_is_long() -> None:
    """The linter checks Python's lines."""
    lines = [(path.name, line) for path in SCRIPTS for line in path.read_text().splitlines()]
    assert [each for each in lines if len(each[1]) > LINE_LIMIT] == []


def test_no_function_is_long() -> None:
    for path in [*MODULES, *TESTS]:
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= FUNCTION_LIMIT, f"{path.relative_to(ROOT)}: {node.name} has {lines} lines"


def docstrings_of(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the strings that stand as statements, with their lines: docstrings, also those of attributes."""
    for node in nodes(path):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value, node.lineno


def test_docstrings_are_sentences() -> None:
    for path in MODULES:
        for text, line in docstrings_of(path):
            assert len(text.split()) >= DOCSTRING_LEAST, f"{path.relative_to(ROOT)}:{line}: {text}"


NAMED_FILE = re.compile(r"\b(?:[a-z_]+/)+[a-z_]+\.py\b")


def test_files_that_the_source_names_are_there() -> None:
    files = [path.relative_to(ROOT) for path in (*MODULES, *TESTS)]
    folders = {folder.name for file in files for folder in file.parents}
    for path in MODULES:
        for named in NAMED_FILE.findall(path.read_text()):
            ours = named.split("/")[0] in folders  # else the file is a library's
            assert not ours or any(f"/{file}".endswith(f"/{named}") for file in files), f"{path} names {named}"


ANY_LIMIT = 185
"""How often the source may use `Any`. A known value has a type; see docs/architecture.md."""


def test_the_source_says_any_ever_less() -> None:
    lines = (line for path in MODULES for line in path.read_text().splitlines())
    found = sum(len(re.findall(r"\bAny\b", line)) for line in lines if not line.startswith("from typing import"))
    assert found <= ANY_LIMIT


PLACED = re.compile(r"[a-z_]+(\.|: )")
"""The beginning of an error message about a field: the field's name."""
OF_ENTRIES = ("conversations/archives/", "extraction/archived/")
"""Modules whose messages are about an entry of an archive, which is reported beside them."""


def test_errors_about_a_field_name_it_in_their_details() -> None:
    """`InvalidRequest.at` does so by itself."""
    for path in MODULES:
        if path.relative_to(ROOT).as_posix().startswith(OF_ENTRIES):
            continue
        for node in nodes(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "InvalidRequest":
                told = ast.unparse(node.args[0]).lstrip("f'\"") if node.args else ""
                named = any(keyword.arg == "details" for keyword in node.keywords)
                assert named or not PLACED.match(told), f"{path.name}: {told[:60]}"
