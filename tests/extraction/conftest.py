"""A worker for the batches of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conversations.sandbox.server import Sandbox
from tests.processes import ServerProcess


@pytest.fixture(scope="module")
def worker(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """A worker, as `manage.py worker` runs it; of one file, since others kill theirs and look who takes its jobs."""
    with ServerProcess("worker", database, sandbox.url, COLLOQUY_BATCH_POLL="0.2") as process:
        yield process
