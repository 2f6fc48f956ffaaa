"""All requests of an extraction are in the ledger, even if its process died before it stored the answer."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from conversations.models import Budget, Hold, Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess
from tests.waiting import until

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
WRONG = 'json="{\\"name\\": 7}"'


@pytest.fixture
def two(database: str, sandbox: Sandbox) -> Iterator[list[ServerProcess]]:
    with (
        ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_LEASE="2") as one,
        ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_LEASE="2") as other,
    ):
        yield [one, other]


def begin(api: Api, directives: str) -> str:
    body = {"schema": SCHEMA, "content": f"Jane [[sandbox: {directives}]]"}
    return str(api.post("extraction/extractions/", body).json()["id"])


def check(api: Api, found: dict[str, Any], sources: list[str]) -> None:
    """Check that the ledger has rows from these sources, and that the extraction and the budget agree with them."""
    rows = Usage.objects.filter(user=api.user).order_by("id")
    assert [row.source for row in rows] == sources
    assert all(row.input_tokens for row in rows)
    assert found["usage"]["requests"] == len(found["attempts"]) == len(sources)
    budget = Budget.objects.get(user=api.user)
    assert budget.held == 0
    assert budget.spent == sum(row.counted for row in rows)


def test_one_whose_process_dies_is_booked_as_an_estimate(two: list[ServerProcess]) -> None:
    with Api(two[0].url) as api, Api.of(two[1].url, api) as elsewhere:
        Budget.objects.create(user=api.user, limit=5)
        id = begin(api, f"{WRONG}; always; pace=0.5")
        until(lambda: Hold.objects.filter(work=id, number=2).exists())
        two[0].process.send_signal(signal.SIGKILL)
        until(lambda: not Hold.objects.filter(work=id).exists())
        found = elsewhere.get(f"extraction/extractions/{id}/").json()
        assert found["status"] == "failed"
        check(api, found, ["provider", "estimate"])


def test_one_that_claude_did_not_take_costs_nothing(api: Api) -> None:
    Budget.objects.create(user=api.user, limit=5)
    body = {"schema": SCHEMA, "content": "Jane [[sandbox: error=529; no_retry]]"}
    assert api.post("extraction/extractions/?wait=true", body).status_code == 503
    check(api, api.get("extraction/extractions/").json()["results"][0], [])


def test_one_that_is_cut_is_booked_as_an_estimate(api: Api) -> None:
    Budget.objects.create(user=api.user, limit=5)
    body = {"schema": SCHEMA, "content": "Jane [[sandbox: cut_after=1]]"}
    assert api.post("extraction/extractions/?wait=true", body).status_code >= 500
    check(api, api.get("extraction/extractions/").json()["results"][0], ["estimate"])
