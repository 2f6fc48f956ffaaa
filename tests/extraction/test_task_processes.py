"""Task processes for expensive work are replaced when they die, shared fairly, and end with their owner."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest

from extraction.processes import GivenUp, Pool
from tests.processes import living

SECONDS = 1.0


OTHERS: set[int] = set()


@asynccontextmanager
async def pool(most: int = 2) -> AsyncIterator[Pool]:
    made = Pool("extraction.check_process", most=most, seconds=SECONDS, megabytes=512)
    try:
        yield made
    finally:
        await made.close()


def task(schema: Any, answer: Any) -> str:
    arguments = {"schema": schema, "text": json.dumps(answer)}
    return json.dumps({"task": "judged", "arguments": arguments})


EASY = task({"type": "integer"}, 7)
ENDLESS = task({"pattern": "^(a+)+$"}, "a" * 60 + "!")
LONG = task({"pattern": "^(a+)+$"}, "a" * 20 + "!")  # a fraction of SECONDS


@pytest.fixture(autouse=True)
def _others() -> None:
    """Remember the child processes that other tests have left running, so that these tests ignore them."""
    OTHERS.update(each.pid for each in children())


def children() -> list[psutil.Process]:
    ours = living(psutil.Process().children(recursive=True), "extraction.check_process")
    return [each for each in ours if each.pid not in OTHERS]


async def test_one_process_does_one_task_after_another() -> None:
    async with pool() as processes:
        replies = [json.loads(await processes.reply_to("me", EASY)) for _ in range(3)]
        assert replies == [{"result": {"data": 7, "problems": [], "claims": []}}] * 3
        assert len(children()) == 1
    assert children() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGPROF])
async def test_an_idle_process_that_is_gone_is_replaced(number: int) -> None:
    async with pool() as processes:
        await processes.reply_to("me", EASY)
        [child] = children()
        os.kill(child.pid, number)
        await asyncio.to_thread(psutil.wait_procs, [child], 30)
        assert json.loads(await processes.reply_to("me", EASY))["result"]["data"] == 7


async def test_a_task_that_takes_too_long_is_given_up_and_the_next_is_done() -> None:
    async with pool() as processes:
        with pytest.raises(GivenUp, match="more than 1 second"):
            await processes.reply_to("me", ENDLESS)
        assert children() == []
        assert json.loads(await processes.reply_to("me", EASY))["result"]["data"] == 7


async def test_a_task_that_others_keep_from_the_processor_is_not_given_up() -> None:
    async with pool() as processes:
        await processes.reply_to("me", EASY)
        [child] = children()
        waiting = asyncio.create_task(processes.reply_to("me", LONG))
        await asyncio.sleep(0.02)  # in which it begins
        child.suspend()
        await asyncio.sleep(1.5 * SECONDS)
        child.resume()
        [problem] = json.loads(await waiting)["result"]["problems"]
        assert problem["path"] == ""


async def test_a_task_that_nobody_waits_for_any_more_is_ended() -> None:
    async with pool() as processes:
        await processes.reply_to("me", EASY)  # there is a process, which begins at once
        waiting = asyncio.create_task(processes.reply_to("me", ENDLESS))
        await asyncio.wait([waiting], timeout=SECONDS / 2)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert children() == []


async def test_whoever_has_tasks_without_end_takes_one_process() -> None:
    async with pool() as processes:
        await asyncio.gather(*(processes.reply_to(whose, EASY) for whose in ("me", "you")))  # both have started
        hostile = [asyncio.create_task(processes.reply_to("you", ENDLESS)) for _ in range(3)]
        began = time.monotonic()
        for _ in range(5):
            await processes.reply_to("me", EASY)
        assert time.monotonic() - began < len(hostile) * SECONDS
        assert sum(each.done() for each in hostile) < len(hostile)
        assert all(isinstance(each, GivenUp) for each in await asyncio.gather(*hostile, return_exceptions=True))
