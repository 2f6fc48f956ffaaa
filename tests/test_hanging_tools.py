"""Tool calls that hang take nothing from others: no thread, no connection, no time."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid

import pytest

from conversations import tool_calls, tools
from conversations.tools import Caller, tool
from tests.calls import ours, results_in
from tests.clients import Api

released = threading.Event()


@tool(seconds=0.2)
def stuck() -> str:
    """Block the thread until the test is over."""
    released.wait(30)
    return "late"


@tool(seconds=0.2)
async def deaf() -> str:
    """Ignore cancellation until the test is over."""
    while not released.is_set():
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            continue
    return "late"


@tool
def quick() -> int:
    """Query the database, and return how many of the pool's connections this thread holds: none."""
    from django.contrib.auth import get_user_model
    from django.db import connection

    get_user_model().objects.exists()
    return 0 if connection.pool is None else 1  # type: ignore[attr-defined]


async def told(name: str, user: uuid.UUID) -> str:
    made = tools.registered_tool(name)
    assert made is not None
    return str((await made.run({}, Caller(user, uuid.uuid4(), uuid.uuid4()))).content)


@pytest.fixture(autouse=True)
def _release():
    released.clear()
    yield
    released.set()


@pytest.mark.parametrize("name", ["stuck", "deaf"])
async def test_who_has_too_many_is_told_so_at_once_and_nobody_else_is_kept(database: str, name: str) -> None:
    mine, other = uuid.uuid4(), uuid.uuid4()
    hanging = [told(name, mine) for _ in range(tool_calls.PER_USER)]
    assert set(await asyncio.gather(*hanging)) == {"The tool took longer than 0.2 seconds."}
    began = time.monotonic()
    assert "16 calls of this user's tools are still running" in await told("quick", mine)
    assert await told("quick", other) == "0"
    assert "took longer" in await told(name, other)
    assert time.monotonic() - began < 20  # far less than they hang
    released.set()
    for _ in range(1000):
        if (said := await told("quick", mine)) == "0":
            break
        await asyncio.sleep(0.05)
    assert said == "0"


async def test_a_tool_that_hangs_for_many_users_is_refused_and_no_other(database: str) -> None:
    users = [uuid.uuid4() for _ in range(tool_calls.PER_TOOL + 3)]
    said = await asyncio.gather(*(told("stuck", user) for user in users))
    assert sum("32 calls of the tool stuck are still running" in each for each in said) == 3
    assert await told("quick", users[0]) == "0"


def test_users_whose_tools_hang_leave_the_turns_of_others_alone(api: Api, other: Api) -> None:
    """Twelve calls that sleep in their threads are given up, and another user's tool still answers."""
    calls = "; ".join(["tool=oversleep{}"] * 12)
    began = time.monotonic()
    turn = api.ask(f"Go [[sandbox: {calls}]]", api.conversation(tools=ours("oversleep")))
    assert turn["status"] == "completed"
    answered = other.ask("Go [[sandbox: tool=title{}]]", other.conversation(title="Mine", tools=ours("title")))
    assert results_in(answered)["title"]["content"] == '{"title":"Mine"}'
    assert time.monotonic() - began < 25  # far less than they sleep
