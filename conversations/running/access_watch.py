"""Closing open sockets and streams of this process soon after their access was revoked on any process."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

from conversations.database import in_database
from conversations.database_faults import DATABASE_ERRORS
from conversations.streaming.wakes import wait_for_news

AccessT = TypeVar("AccessT", bound=Hashable)

logger = logging.getLogger(__name__)

LOOK = 2.0  # seconds between checks: for expiry, and in case a notification was lost


class AccessWatch(Generic[AccessT]):
    """The accesses of one kind (credentials, or memberships) of open sockets and streams in this process."""

    def __init__(self, ended: Callable[[list[AccessT]], set[AccessT]], subject: Callable[[AccessT], uuid.UUID]) -> None:
        """Take a function that finds ended accesses in the database, and one for their names in notifications."""
        self._ended, self._subject = ended, subject
        self._open: defaultdict[AccessT, set[asyncio.Future[None]]] = defaultdict(set)
        self._look = asyncio.Event()

    def watch(self, access: AccessT) -> asyncio.Future[None]:
        """Return a future that is done when the access ends. Cancel it when the socket or stream is closed."""
        future = asyncio.get_running_loop().create_future()
        self._open[access].add(future)
        future.add_done_callback(partial(self._forget, access))
        return future

    def _forget(self, access: AccessT, future: asyncio.Future[None]) -> None:
        self._open[access].discard(future)
        if not self._open[access]:
            del self._open[access]

    def look(self, subjects: list[uuid.UUID]) -> None:
        """Check now, if a change of these subjects (an empty list: of any) can concern an access here."""
        if not subjects or any(self._subject(access) in subjects for access in self._open):
            self._look.set()

    async def serve(self) -> None:
        """Check for ended accesses, for ever: every `LOOK` seconds, and after notifications."""
        while True:
            await wait_for_news(self._look, LOOK)
            self._look.clear()
            if not self._open:
                continue
            try:
                for access in await in_database(self._ended, list(self._open)):
                    self._end(access)
            except DATABASE_ERRORS as error:
                logger.warning("Ended access could not be checked: %s", error)

    def _end(self, access: AccessT) -> None:
        for future in list(self._open.get(access, ())):
            if not future.done():
                future.set_result(None)
