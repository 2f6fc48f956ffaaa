"""A worker process for the tests of batches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conversations.sandbox.server import Sandbox
from tests.processes import ServerProcess


@pytest.fixture(scope="module")
def worker(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a worker, as `manage.py worker` runs it; one per file, since some tests count or kill workers."""
    with ServerProcess("worker", database, sandbox.url, COLLOQUY_BATCH_POLL="0.2") as process:
        yield process
