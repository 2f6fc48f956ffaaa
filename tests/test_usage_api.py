"""The usage API: a user's ledger rows, and sums that equal them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from conversations.models import Usage
from tests.clients import Api

TOKENS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
UNKNOWN = "some-local-model"


@pytest.fixture
def spent(api: Api) -> list[dict[str, Any]]:
    """Provide turns in two conversations and on two models."""
    first, second = api.conversation(), api.conversation(model="claude-haiku-4-5")
    return [api.ask("Hello", first), api.ask("Again", first), api.ask("Good day", second)]


def records(api: Api, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = api.get(f"usage/records/{query}").json()["results"]
    return rows


def test_every_upstream_request_has_a_record(api: Api, spent: list[dict[str, Any]]) -> None:
    rows = records(api)
    assert [row["turn"] for row in rows] == [turn["id"] for turn in reversed(spent)]
    for row, turn in zip(rows, reversed(spent), strict=True):
        assert {name: row[name] for name in TOKENS} == {name: turn["usage"][name] for name in TOKENS}
        assert (row["cost"], row["source"]) == (turn["cost"], "provider")
        assert row["request_id"].startswith("req_")


@pytest.mark.parametrize("groups", ["", "day", "model", "conversation", "day,model,conversation"])
def test_sums_are_those_of_the_records(api: Api, spent: list[dict[str, Any]], groups: str) -> None:
    shown = api.get(f"usage/?group_by={groups}").json()
    names = [name for name in groups.split(",") if name]
    expected: Counter[tuple[Any, ...]] = Counter()
    costs: dict[tuple[Any, ...], Decimal] = {}
    for row in records(api):
        key = tuple(row["created_at"][:10] if name == "day" else row[name] for name in names)
        for name in TOKENS:
            expected[(*key, name)] += row[name]
        expected[(*key, "requests")] += 1
        costs[key] = costs.get(key, Decimal(0)) + Decimal(row["cost"])
    found = shown["results"] if names else [shown["total"]]
    assert len(found) == len(costs)
    for sums in found:
        key = tuple(sums[name] for name in names)
        assert {name: sums[name] for name in (*TOKENS, "requests")} == {
            name: expected[(*key, name)] for name in (*TOKENS, "requests")
        }
        assert Decimal(sums["cost"]) == costs[key]
    assert Decimal(shown["total"]["cost"]) == sum(costs.values())


def test_an_unknown_price_is_not_free(api: Api) -> None:
    Usage.objects.create(user=api.user, model=UNKNOWN, source="provider", input_tokens=5)
    [row] = records(api)
    total = api.get("usage/").json()["total"]
    assert row["cost"] is None
    assert (total["cost"], total["unpriced_requests"]) == (None, 1)


def test_a_time_can_be_named(api: Api, spent: list[dict[str, Any]]) -> None:
    today = records(api)[0]["created_at"][:10]
    assert api.get(f"usage/?from={today}&to={today}").json()["total"]["requests"] == 3
    assert api.get("usage/?from=2020-01-01&to=2020-12-31").json()["total"] == {
        **dict.fromkeys((*TOKENS, "requests", "unpriced_requests"), 0),
        "cost": "0",
    }
    assert records(api, "?to=2020-12-31T00:00:00Z&from=2020-01-01") == []


@pytest.mark.parametrize(
    "query", ["?from=yesterday", "?to=2026-13-01", "?to=9999-12-31", "?to=0001-01-01", "?group_by=weather"]
)
def test_what_makes_no_sense_is_refused(api: Api, query: str) -> None:
    response = api.get(f"usage/{query}")
    assert response.status_code == 400
    assert response.json()["error"]["details"]


def test_nobody_sees_anothers(api: Api, other: Api, spent: list[dict[str, Any]]) -> None:
    assert records(other) == []
    for turn in (spent[0]["id"], "01a20a41-4331-73d9-88b7-9df49e0a4949"):
        assert records(other, f"?turn={turn}") == []
    assert other.get("usage/").json()["total"]["requests"] == 0
