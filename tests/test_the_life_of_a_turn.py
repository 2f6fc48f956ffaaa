"""The short way of a turn through the database stores what the long way does."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.models import Budget, Message, Turn, Usage
from tests.clients import Api, Event

MADE_EACH_TIME = frozenset(
    {"id", "turn", "conversation", "user_message", "request_id", "request-id"}
    | {"created_at", "started_at", "first_delta_at", "finished_at"}
)


def without_what_differs(value: Any) -> Any:
    """Return JSON of the API without ids and times."""
    if isinstance(value, dict):
        return {key: without_what_differs(item) for key, item in value.items() if key not in MADE_EACH_TIME}
    if isinstance(value, list):
        return [without_what_differs(item) for item in value]
    return value


def stored(turn: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that a turn has left in the tables, without ids and times."""
    skipped = {"id", "turn", "conversation", "parent", "user", "username", "jump", "user_message", "request_digest"}
    skipped |= {"created_at", "started_at", "first_delta_at", "finished_at", "duration", "time_to_first_delta"}
    skipped |= {"request_id", "holder", "raw", "searchable"}
    rows = [
        Turn.objects.get(pk=turn["id"]),
        *Message.objects.filter(turn=turn["id"]),
        *Usage.objects.filter(turn=turn["id"]),
    ]
    return [
        {each.name: getattr(row, each.name) for each in row._meta.concrete_fields if each.name not in skipped}
        for row in rows
    ]


def seen(events: list[Event]) -> list[Any]:
    """Return events without ids; the messages of the last one by their number."""
    *before, end = events
    return [without_what_differs(each) for each in before] + [
        without_what_differs({**end, "messages": len(end["messages"])})
    ]


@pytest.mark.parametrize(
    "content",
    [
        "Hello [[sandbox: words=5]]",
        "Hello [[sandbox: thinking; words=3]]",
        'Hello [[sandbox: text="x"; stop_reason=max_tokens]]',
        "Hello [[sandbox: refusal]]",
        "Hello [[sandbox: words=4; cut_after=3]]",
        "Hello [[sandbox: error=400]]",
    ],
)
def test_the_short_way_stores_what_the_long_way_stores(api: Api, other: Api, content: str) -> None:
    # A budget that nobody can use up is counted step by step.
    Budget.objects.create(user=other.user, limit=1_000_000)
    short, long = (each.ended(each.begin(content, each.conversation())["id"]) for each in (api, other))
    assert without_what_differs({**short, "messages": []}) == without_what_differs({**long, "messages": []})
    assert stored(short) == stored(long)
    assert seen(api.events(short["id"])) == seen(other.events(long["id"]))
    for each, turn in ((api, short), (other, long)):
        leaf = each.get(f"conversations/{turn['conversation']}/").json()["active_leaf"]
        assert leaf == (turn["messages"][-1]["id"] if turn["messages"] else turn["user_message"])
