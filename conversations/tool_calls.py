"""Calling tools' functions: isolated from each other, and given up after a timeout.

A thread can't be stopped. One that hangs after its call was given up keeps a thread and a database connection of its
own, which are taken from nobody else. Only its own user, and then its tool, run out of calls.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from conversations.database import on_own_connection
from conversations.errors import RateLimited

PER_USER = 16  # calls that run at once in a process, those that were given up included
PER_TOOL = 32

Done = Callable[[], None]


class TookTooLong(Exception):
    """A call did not end in its time."""


class _Places:
    """The numbers of running calls, by user and by tool. Thread-safe."""

    def __init__(self) -> None:
        self._running: Counter[object] = Counter()
        self._lock = threading.Lock()

    def enter(self, tool: str, user: uuid.UUID) -> Done:
        """Count a call in; return a function that counts it out. Raise RateLimited if there are too many."""
        with self._lock:
            for key, most, whose in ((user, PER_USER, "this user's tools"), (tool, PER_TOOL, f"the tool {tool}")):
                if self._running[key] >= most:
                    raise RateLimited(f"{most} calls of {whose} are still running. Try again when some have ended.")
            self._running.update((user, tool))
        return partial(self._leave, tool, user)

    def _leave(self, tool: str, user: uuid.UUID) -> None:
        with self._lock:
            self._running.subtract((user, tool))
            self._running += Counter()  # removes users without running calls


_places = _Places()


async def call(
    function: Callable[..., object], arguments: Mapping[str, object], *, tool: str, user: uuid.UUID, seconds: float
) -> object:
    """Return the result of a function, synchronous or not; raise its exception.

    Raises TookTooLong after so many seconds, whether it can be stopped or not, and RateLimited where too many calls
    of the user's, or of the tool, have not ended yet.
    """
    done = _places.enter(tool, user)
    try:
        begin = _in_task if inspect.iscoroutinefunction(function) else _in_thread
        running = begin(partial(function, **arguments), done)
    except BaseException:
        done()
        raise
    try:
        await asyncio.wait({running}, timeout=seconds)
        if not running.done():
            raise TookTooLong
        if running.cancelled():
            raise RuntimeError("The tool was cancelled.")
        return running.result()
    finally:
        running.cancel()


def _in_task(function: Callable[[], Any], done: Done) -> asyncio.Future[object]:
    task = asyncio.create_task(_contained(function))
    task.add_done_callback(lambda _: done())
    return task


async def _contained(function: Callable[[], Any]) -> object:
    """Await a function; an exit of the process (SystemExit) becomes an ordinary error of the tool."""
    try:
        return await function()
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(f"The tool raised {type(error).__name__}.") from error


def _in_thread(function: Callable[[], object], done: Done) -> asyncio.Future[object]:
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[object] = loop.create_future()
    context = contextvars.copy_context()

    def run() -> None:
        result, error = None, None
        try:
            result = context.run(on_own_connection, function)
        except Exception as raised:  # noqa: BLE001 - it is raised where the call is awaited
            error = raised
        except BaseException as raised:  # noqa: BLE001
            error = RuntimeError(f"The tool raised {type(raised).__name__}.")
        finally:
            done()
        with suppress(RuntimeError):  # the process has ended meanwhile
            loop.call_soon_threadsafe(_resolve, waiting, result, error)

    threading.Thread(target=run, name="tool", daemon=True).start()
    return waiting


def _resolve(waiting: asyncio.Future[object], result: object, error: Exception | None) -> None:
    if waiting.done():  # it was given up
        return
    if error is None:
        waiting.set_result(result)
    else:
        # A future takes no StopIteration.
        waiting.set_exception(RuntimeError(repr(error)) if isinstance(error, StopIteration) else error)
