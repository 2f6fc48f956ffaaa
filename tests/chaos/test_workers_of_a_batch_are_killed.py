"""The workers of a batch are killed repeatedly: a short version of `python -m tests.chaos.batch_workers`."""

from __future__ import annotations

import pytest

from conversations.sandbox.server import Sandbox
from tests.chaos.batch_workers import run
from tests.processes import ServerProcess


@pytest.mark.timeout(900)
def test_each_item_is_done_once_and_paid_once(database: str, sandbox: Sandbox, server: ServerProcess) -> None:
    outcome = run(database, sandbox.url, server.url, items=24, paid=20, every=1.0)
    assert outcome.wrong == []
    assert outcome.kills >= 1
    assert (outcome.succeeded, outcome.over_budget, outcome.after_retry) == (20, 4, 4)
