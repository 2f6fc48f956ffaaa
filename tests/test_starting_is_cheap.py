"""A process starts fast: it imports no slow library that only some requests need."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.up import UpFromNothing
from tests.waiting import until

DEAR = (
    "PIL",
    "aiohttp",
    "anthropic",
    "extraction.answers",
    "extraction.schemas",
    "jsonschema",
    "jsonschema_rs",
    "lark",
    "markdown_it",
    "nh3",
    "regress",
    "rfc3987_syntax",
    "xlsxwriter",
)
SERVING = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; import config.asgi, config.urls"
AT_A_TASK = "import extraction.check_process, extraction.document_process"
MOST_MODULES = 1800  # of a process that serves; with the SDK and the validators there are 5,000


def test_a_process_that_serves_imports_neither_the_sdk_nor_a_validator() -> None:
    modules = imported(SERVING)
    assert "extraction.checks" in modules
    assert not modules & set(DEAR)
    assert len(modules) <= MOST_MODULES


def test_a_process_that_checks_or_reads_imports_neither_django_nor_pydantic() -> None:
    modules = imported(AT_A_TASK)
    assert "extraction.answers" in modules
    assert not modules & {"django", "pydantic"}


def imported(code: str) -> set[str]:
    """Return the names of the modules that are loaded after running some code in a new process."""
    code += "; import sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


SAID = {
    "serve": "Colloquy serves at ",
    "runner": "The runner has started: it runs turns, titles, extractions",
    "worker": "The worker has started: up to ",
}
COMMANDS = [("serve", "--port", "{port}"), ("runner",), ("worker",)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_process_says_what_it_does_and_that_it_has_stopped(
    command: tuple[str, ...], database: str, tmp_path: Path
) -> None:
    running = UpFromNothing(str(tmp_path), *command, DATABASE_URL=database, ANTHROPIC_API_KEY="test")
    try:
        until(lambda: SAID[command[0]] in running.printed())
        if command[0] == "serve":
            running.wait_until_up()
    finally:  # a server imports in the background what a turn needs, and ends after that
        printed = running.stop(signal.SIGKILL if command[0] == "serve" else signal.SIGTERM)
    if command[0] != "serve":
        assert running.process.poll() == 0
        assert f"The {command[0]} has stopped." in printed
