"""Work that must not be interrupted is finished before its caller is cancelled, and its errors are not lost."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from conversations.running.work_runner import shielded


class Failed(Exception):
    """The error of some work."""


class Work:
    """Work that runs until a test lets it end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.may_end = asyncio.Event()
        self.ended = False
        self._error = error

    async def run(self) -> str:
        await self.may_end.wait()
        self.ended = True
        if self._error:
            raise self._error
        return "done"


async def test_it_returns_what_the_work_returns_or_raises() -> None:
    work = Work()
    work.may_end.set()
    assert await shielded(work.run()) == "done"
    failing = Work(Failed())
    failing.may_end.set()
    with pytest.raises(Failed):
        await shielded(failing.run())


@pytest.mark.parametrize("error", [None, Failed()])
@pytest.mark.parametrize("stops", [1, 3])
async def test_a_stop_waits_until_the_work_has_ended(error: Exception | None, stops: int) -> None:
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    work = Work(error)
    caller = asyncio.create_task(shielded(work.run()))
    for _ in range(stops):
        await asyncio.sleep(0)
        caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    work.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert work.ended
    gc.collect()
    assert unheard == []
