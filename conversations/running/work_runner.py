"""Running one kind of leased work in this process: start, cancel, drain, settle abandoned rows."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
import uuid
from collections.abc import Callable, Collection, Coroutine
from typing import ClassVar, Protocol, TypeVar

from conversations.database import in_database
from conversations.database_faults import is_lost
from conversations.streaming.tables import TranscriptTables
from conversations.streaming.wakes import wait_for_news

T = TypeVar("T")

logger = logging.getLogger(__name__)

GRACE = 2.0  # seconds for which work must have looked abandoned
PUT_OFF = 60.0  # seconds after which settling work is tried again that could not be settled
ENDING = 2.0  # seconds for ending stopped work, at shutdown

CANCELLED = "cancelled"
INTERRUPTED = "interrupted"


class Stopped(Exception):
    """The work was stopped from outside; `reason` is CANCELLED or INTERRUPTED."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StopSignal:
    """Stops a piece of work, but never while it is claimed or ended.

    (Cancelling its task could happen between the commit of a claim and its result here, and leave the row without a
    runner.)
    """

    def __init__(self) -> None:
        self._reason: str | None = None
        self._task: asyncio.Task[object] | None = None

    def now(self, reason: str) -> None:
        """Stop the work, now or as soon as it can be stopped."""
        self._reason = self._reason or reason
        if self._task:
            self._task.cancel()

    async def able(self, coroutine: Coroutine[object, None, T]) -> T:
        """Run the part that can be stopped. Raise Stopped if it was stopped."""
        self._task = asyncio.create_task(coroutine)
        if self._reason:
            self._task.cancel()
        try:
            return await self._task
        except asyncio.CancelledError:
            if self._reason is None:
                raise
            raise Stopped(self._reason) from None
        finally:
            self._task = None


async def shielded(coroutine: Coroutine[object, None, T]) -> T:
    """Await a coroutine and return its result; it runs to its end even if the caller is cancelled meanwhile.

    The cancellation is raised when the coroutine has ended. An error of the coroutine is then only logged: stopped work
    may have been deleted or taken over.
    """
    task = asyncio.create_task(coroutine)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled() and task.exception():
        logger.info("A task that had to be finished before a stop failed: %s", task.exception())
    raise cancelled


class Work(Protocol):
    """A kind of work: rows that are claimed, run and settled by their ids."""

    name: str
    tables: ClassVar[TranscriptTables | None]
    """The tables of its transcripts; None for work without transcripts."""

    async def run(self, id: uuid.UUID, stop: StopSignal) -> None:
        """Claim the row, do the work, and end it; if it is stopped, keep what there is so far."""

    def to_cancel(self, process: uuid.UUID) -> list[uuid.UUID]:
        """Return the ids of this process's work that was asked to stop."""

    def abandoned(self, process: uuid.UUID, running: Collection[uuid.UUID]) -> list[uuid.UUID]:
        """Return the ids of abandoned work.

        Its process has died, or it is this process and the id is not in `running`.
        """

    def waiting(self, seconds: float) -> list[uuid.UUID]:
        """Return the ids of work that was queued for so many seconds."""

    def settle(self, id: uuid.UUID, process: uuid.UUID) -> None:
        """End abandoned work with what is known of it."""


class WorkRunner:
    """Runs the work of one kind in this process."""

    def __init__(self, work: Work, process: uuid.UUID) -> None:
        self.work = work
        self.draining = False
        self._process = process
        self._abandoned: dict[uuid.UUID, float] = {}
        self._running: dict[uuid.UUID, asyncio.Task[None]] = {}
        self._stops: dict[uuid.UUID, StopSignal] = {}
        self._expected: set[uuid.UUID] = set()
        self._put_off: dict[uuid.UUID, float] = {}
        """By id: the time of this process's clock until which work is skipped that could not be settled."""

    def start(self, id: uuid.UUID, run: Callable[[StopSignal], Coroutine[object, None, None]] | None = None) -> None:
        """Run work in a task that outlives the caller: by its id, or by `run` if it has begun."""
        self._expected.discard(id)
        if id in self._running or (self.draining and run is None):
            return
        stop = self._stops[id] = StopSignal()
        task = self._running[id] = in_background(run(stop) if run else self.work.run(id, stop))
        task.add_done_callback(lambda done: self._done(id, done))
        if self.draining:
            stop.now(INTERRUPTED)

    async def run_to_end(self, id: uuid.UUID) -> None:
        """Run work by its id, and return when it has ended here, in whatever way."""
        self.start(id)
        if task := self._running.get(id):
            await asyncio.wait([task])

    def expect(self, id: uuid.UUID) -> None:
        """Exclude an id from sweeps that is about to be stored as running here. Thread-safe.

        Until it is started, or `forget` is called.
        """
        self._expected.add(id)

    def forget(self, id: uuid.UUID) -> None:
        """Take back `expect`: the work was not stored."""
        self._expected.discard(id)

    def offer(self, ids: list[uuid.UUID]) -> None:
        """Start new work of another process, which runs none itself."""
        for id in ids:
            self.start(id)

    def cancel(self, ids: list[uuid.UUID], reason: str = CANCELLED) -> None:
        """Stop those of the ids that run here."""
        for id in ids:
            if id in self._stops:
                self._stops[id].now(reason)

    async def drain(self, seconds: float, hurry: asyncio.Event) -> None:
        """Start nothing more; stop running work after so many seconds, or when the drain is hurried."""
        self.draining = True
        if self._running:
            hurried = asyncio.create_task(wait_for_news(hurry, seconds))
            ended = asyncio.create_task(asyncio.wait(self._running.values()))
            await asyncio.wait((hurried, ended), return_when=asyncio.FIRST_COMPLETED)
            hurried.cancel()
            ended.cancel()
        self.cancel(list(self._running), INTERRUPTED)
        if self._running:
            await asyncio.wait(self._running.values(), timeout=ENDING)
        if self._running:
            logger.warning(
                "%d of %s did not end in time; another process will settle them", len(self._running), self.work.name
            )

    async def sweep(self, untaken: float | None) -> None:
        """Stop cancelled work, settle abandoned work, and start work that was queued for `untaken` seconds.

        Work is settled only after it has looked abandoned for a while: if Postgres was unavailable for longer than a
        lease, all leases have expired, and live processes need a moment to renew theirs.
        """
        self.cancel(await in_database(self.work.to_cancel, self._process))
        before, self._abandoned = self._abandoned, {}
        # A claim between the query and its result is in `_running` by then.
        now = time.monotonic()
        self._put_off = {id: until for id, until in self._put_off.items() if now < until + PUT_OFF}
        held_back = [id for id, until in self._put_off.items() if now < until]
        found = await in_database(self.work.abandoned, self._process, [*self._running, *self._expected, *held_back])
        abandoned = {id: before.get(id, now) for id in found if id not in self._running and id not in self._expected}
        for id in [id for id, since in abandoned.items() if now - since >= GRACE]:
            await self._settle(id)
        self._abandoned = abandoned
        if untaken is not None:
            self.offer(await in_database(self.work.waiting, untaken))

    async def _settle(self, id: uuid.UUID) -> None:
        """Settle abandoned work; if that fails, log the error once, and retry after `PUT_OFF`."""
        if id not in self._put_off:
            logger.warning("Settling %s %s, which no process runs any more", self.work.name, id)
        try:
            await in_database(self.work.settle, id, self._process)
            self._put_off.pop(id, None)
        except Exception as error:
            if is_lost(error):
                raise
            if id not in self._put_off:
                logger.exception("%s %s could not be settled, and will be retried", self.work.name, id)
            self._put_off[id] = time.monotonic() + PUT_OFF

    def _done(self, id: uuid.UUID, task: asyncio.Task[None]) -> None:
        del self._running[id], self._stops[id]
        if not task.cancelled() and task.exception():
            logger.error("%s %s failed", self.work.name, id, exc_info=task.exception())


def in_background(coroutine: Coroutine[object, None, None]) -> asyncio.Task[None]:
    """Create a task of the coroutine in a fresh context.

    In the context of the request, asgiref would send its database work to the request's own thread, which ends with the
    response.
    """
    return asyncio.get_running_loop().create_task(coroutine, context=contextvars.Context())
