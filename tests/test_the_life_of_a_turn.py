"""The optimised path of a turn through the database stores the same rows as the general path."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from conversations.models import Budget, Message, Price, Turn, Usage
from tests.clients import Api, Event

MADE_EACH_TIME = frozenset(
    {"id", "turn", "conversation", "user", "user_message", "request_id", "request-id"}
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
    """Return events without ids, and with the messages of the last one replaced by their number."""
    *before, end = events
    return [without_what_differs(each) for each in before] + [
        without_what_differs({**end, "messages": len(end["messages"])})
    ]


@pytest.fixture
def long_way(database: str) -> Iterator[None]:
    """Have the next turn ended by the general path: it reserves by a price that is deleted afterwards."""
    price = Price.objects.create(model="nobody's-*", valid_from=date(2020, 1, 1), input=1, output=1)
    yield
    price.delete()


def ended(api: Api, content: str) -> dict[str, Any]:
    return api.ended(api.begin(content, api.conversation())["id"])


def budgets_of(api: Api) -> list[Any]:
    """Return the amounts held and spent of a user's budgets, those of earlier periods included."""
    return list(api.user.budgets.order_by("period").values_list("period", "period_start", "spent", "held"))


def give_budgets(api: Api) -> None:
    today = datetime.now(UTC).date()
    Budget.objects.create(user=api.user, limit=1_000_000, period="day")
    Budget.objects.create(user=api.user, limit=1_000_000, period="month")
    api.user.budgets.filter(period="day").update(spent=7, period_start=today - timedelta(days=3))
    api.user.budgets.filter(period="month").update(spent=5, period_start=today.replace(day=1))


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
def test_the_short_way_stores_what_the_long_way_stores(
    api: Api, other: Api, content: str, request: pytest.FixtureRequest
) -> None:
    for each in (api, other):
        give_budgets(each)
    ended(api, "Now the process knows that there is no price of the platform's own [[sandbox: error=400]]")
    short = ended(api, content)
    request.getfixturevalue("long_way")
    long = ended(other, content)
    assert budgets_of(api) == budgets_of(other)
    assert without_what_differs({**short, "messages": []}) == without_what_differs({**long, "messages": []})
    assert stored(short) == stored(long)
    assert seen(api.events(short["id"])) == seen(other.events(long["id"]))
    for each, turn in ((api, short), (other, long)):
        leaf = each.get(f"conversations/{turn['conversation']}/").json()["active_leaf"]
        assert leaf == (turn["messages"][-1]["id"] if turn["messages"] else turn["user_message"])
