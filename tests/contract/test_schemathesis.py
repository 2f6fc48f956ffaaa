"""A short run of Schemathesis in the test suite; `python -m tests.contract` is the long one."""

from __future__ import annotations

import pytest

from tests.contract.fuzzing import fuzzed
from tests.processes import ServerProcess


@pytest.mark.parametrize("who", ["user", "staff"])
def test_schemathesis_finds_no_fault(who: str, server: ServerProcess) -> None:
    for seconds in (2, 12, 48):  # on a busy machine the first may be over before the first request
        outcome = fuzzed(server.url, who, seconds=seconds, seed=1)
        assert not outcome.failures, outcome.output
        if outcome.requests:
            return
    pytest.fail(outcome.output)
