"""A process works soon: it imports no library that takes seconds for what only some requests need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.processes import ROOT
from tests.up import Up

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
STARTED = "import config.asgi, config.urls, sys; print('\\n'.join(sys.modules))"
ENOUGH = 2.5  # seconds of CPU


def test_a_process_that_serves_imports_neither_the_sdk_nor_a_validator() -> None:
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


def answers(process: Up) -> None:
    process.wait_until_up()


def says_that_it_has_started(process: Up) -> None:
    assert process.process.stdout is not None
    assert any("has started" in line for line in process.process.stdout)


@pytest.mark.parametrize(
    ("command", "wait"),
    [
        (("serve", "--port", "{port}"), answers),
        (("runner",), says_that_it_has_started),
        (("worker",), says_that_it_has_started),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_process_works_after_little_time_of_the_processor(
    command: tuple[str, ...], wait: Callable[[Up], None], database: str, tmp_path: Path
) -> None:
    running = Up(str(tmp_path), *command, DATABASE_URL=database, ANTHROPIC_API_KEY="test")
    try:
        wait(running)
        times = psutil.Process(running.process.pid).cpu_times()
    finally:
        running.stop()
    assert times.user + times.system < ENOUGH
