"""Waiting for news in this process, and receiving notifications from other processes.

A notification says only that there is something new, never what: that is read from the tables. So a lost notification
costs a moment (until the next poll), not text.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Self

import psycopg
from psycopg.rows import tuple_row

from conversations.database import connect
from conversations.database_faults import is_lost

logger = logging.getLogger(__name__)

CHANNEL = "colloquy"
POLL = 1.0  # seconds between polls of watched ids, in case a notification was lost
RECONNECT = 0.5  # seconds between attempts while Postgres is away

CONVERSATIONS = "SELECT id, updated_at::text FROM conversations_conversation WHERE id = ANY(%(ids)s)"
WORK = "SELECT id, position::text || status FROM {table} WHERE id = ANY(%(ids)s)"

Handler = Callable[[list[uuid.UUID]], None]


class Wakes:
    """Wake-ups of waiting tasks by the id of a turn, a conversation or an extraction."""

    def __init__(self) -> None:
        self._waiting: defaultdict[uuid.UUID, set[asyncio.Event]] = defaultdict(set)
        self._handlers: defaultdict[str, list[Handler]] = defaultdict(list)
        self._own: set[uuid.UUID] = set()
        """The turns that run in this process, whose readers it wakes directly, without waiting for the notification."""
        self._progress: dict[uuid.UUID, object] = {}
        self._looks = [CONVERSATIONS]
        self._after_gaps: list[Callable[[], None]] = []
        self.hearing = False
        """Whether the process listens, and so receives every notification."""

    def look_at(self, table: str) -> None:
        """Poll another table of work for progress, which has the columns of `Leased`, and `position`."""
        self._looks.append(WORK.format(table=table))

    @contextmanager
    def waiting(self, id: uuid.UUID) -> Iterator[asyncio.Event]:
        """Yield an event that is set at any news of this id. Clear it *before* reading what is new."""
        event = asyncio.Event()
        self._waiting[id].add(event)
        try:
            yield event
        finally:
            self._waiting[id].discard(event)
            if not self._waiting[id]:
                del self._waiting[id]
                self._progress.pop(id, None)

    def wake(self, ids: Iterable[uuid.UUID]) -> None:
        """Wake the tasks that wait for news of these ids."""
        for id in ids:
            for event in self._waiting.get(id, ()):
                event.set()

    def own(self, turn: uuid.UUID) -> None:
        """Ignore notifications about a turn from now on, since it runs here; wake its waiting tasks."""
        self._own.add(turn)
        self.wake([turn])

    def disown(self, turn: uuid.UUID) -> None:
        """Heed notifications about a turn again; wake its waiting tasks."""
        self._own.discard(turn)
        self.wake([turn])

    def on(self, kind: str, handler: Handler) -> None:
        """Register a function that is called with the ids of every notification of a kind."""
        self._handlers[kind].append(handler)

    def on_gap(self, handler: Callable[[], None]) -> None:
        """Register a function that is called when notifications may have been missed."""
        self._after_gaps.append(handler)

    def wake_all(self) -> None:
        """Wake all waiting tasks, so that they check by themselves."""
        self.wake(list(self._waiting))

    async def listen(self) -> None:
        """Listen to notifications until cancelled. Waiting tasks are woken after every gap in listening."""
        gap = False
        while True:
            try:
                async with await connect() as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self.wake_all()
                    for handler in self._after_gaps if gap else ():
                        handler()
                    self.hearing = True
                    try:
                        await self._hear(connection)
                    finally:
                        self.hearing = False
            except psycopg.Error as error:
                gap = True
                if not is_lost(error):
                    raise
                logger.warning("The LISTEN connection to the database was lost: %s", error)
                await asyncio.sleep(RECONNECT)

    async def _hear(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        while True:
            # To the iterator's own end, after POLL: a generator that is left early would keep the connection.
            async for notification in connection.notifies(timeout=POLL):
                self._handle(notification.payload)
            await self._poll(connection)

    def _handle(self, payload: str) -> None:
        kind, *ids = payload.split() or [""]
        keys = [uuid.UUID(id) for id in ids]
        self.wake(key for key in keys if key not in self._own)
        for handler in self._handlers[kind]:
            handler(keys)

    async def _poll(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        """Wake the tasks whose turn or conversation has changed since the last poll.

        The look-up is by the watched ids only. For conversations, a new turn changes the time of the last change.
        """
        ids = [id for id in self._waiting if id not in self._own]
        if not ids:
            return
        cursor = connection.cursor(row_factory=tuple_row)
        await cursor.execute(" UNION ALL ".join(self._looks), {"ids": ids})
        for id, progress in await cursor.fetchall():
            if self._progress.get(id) != progress:
                self._progress[id] = progress
                self.wake([id])


def notification_payload(kind: str, *ids: uuid.UUID) -> str:
    """Return the payload of a notification about these ids, at most 200."""
    return " ".join([kind, *(id.hex for id in ids)])


class IdleTimer:
    """Sets an event whenever it was not restarted for a number of seconds; never, if that is None.

    A restart only records the time, and the timer is set again when it expires: readers restart it at every batch.
    """

    def __init__(self, event: asyncio.Event, seconds: float | None) -> None:
        self._event, self._seconds = event, seconds
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._handle = None if seconds is None else self._loop.call_later(seconds, self._look)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._handle:
            self._handle.cancel()

    def restart(self) -> None:
        """Restart the timer from zero."""
        self._since = self._loop.time()

    @property
    def expired(self) -> bool:
        """Whether the time has passed since the last restart."""
        return self._seconds is not None and self._loop.time() - self._since >= self._seconds

    def _look(self) -> None:
        assert self._seconds is not None
        since = self._since
        if self.expired:
            self._event.set()
            since = self._loop.time()
        self._handle = self._loop.call_at(since + self._seconds, self._look)


async def wait_for_news(news: asyncio.Event, seconds: float | None) -> bool:
    """Wait for news for so many seconds, or without limit; return whether there was any."""
    try:
        async with asyncio.timeout(seconds):
            return await news.wait()
    except TimeoutError:
        return False
