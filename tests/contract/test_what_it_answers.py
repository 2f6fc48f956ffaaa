"""A short run of Schemathesis in the suite; `python -m tests.contract` is the long one."""

from __future__ import annotations

import pytest

from tests.contract.fuzzing import fuzzed
from tests.processes import ServerProcess


@pytest.mark.parametrize("who", ["user", "staff"])
def test_schemathesis_finds_no_fault(who: str, server: ServerProcess) -> None:
    outcome = fuzzed(server.url, who, seconds=3, seed=1)
    assert not outcome.failures, outcome.output
    assert outcome.requests
