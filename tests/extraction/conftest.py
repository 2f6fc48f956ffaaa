"""A worker for the batches of these tests, once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conversations.sandbox.server import Sandbox
from tests.processes import ServerProcess


@pytest.fixture(scope="session")
def worker(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """A worker, as `manage.py worker` runs it."""
    with ServerProcess("worker", database, sandbox.url, COLLOQUY_BATCH_POLL="0.2") as process:
        yield process
