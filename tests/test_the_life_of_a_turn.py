"""A turn takes few statements from its beginning to its end, and the short way stores what the long way does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from conversations.models import Budget, Message, Turn, Usage
from conversations.sandbox.server import Sandbox
from tests.benchmarks.life.statements import Counts, counted
from tests.clients import Api, Event
from tests.processes import ServerProcess

ASKED = 'Say [[sandbox: text="One two three."; one_chunk]]'
MOST_STATEMENTS = 9
"""For a turn whose answer comes in one go: who asks, the conversation, the beginning, the flushes, the end."""

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


@pytest.fixture
def watched(database: str, sandbox: Sandbox) -> Iterator[tuple[Api, Counts]]:
    """A user of a process whose statements are counted."""
    counts, counting = Counts(), threading.Event()
    loop = asyncio.new_event_loop()
    addresses: list[str] = []

    async def relay() -> None:
        async with counted(database, counts) as address:
            addresses.append(address)
            counting.set()
            await over.wait()

    over = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(relay(),))
    thread.start()
    counting.wait(30)
    try:
        with ServerProcess("uvicorn", addresses[0], sandbox.url) as server, Api(server.url) as api:
            yield api, counts
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def test_a_turn_takes_few_statements(watched: tuple[Api, Counts]) -> None:
    api, counts = watched
    taken = []
    for _ in range(8):
        conversation = api.conversation()
        before = counts.statements
        events = {"Accept": "text/event-stream"}
        path = f"/api/conversations/{conversation}/turns/"
        assert "turn_end" in api.http.post(path, json={"content": ASKED}, headers=events).text
        taken.append(counts.statements - before)
    # The process looks after its lease and its sweeps meanwhile: the least is what a turn takes.
    assert min(taken) <= MOST_STATEMENTS
