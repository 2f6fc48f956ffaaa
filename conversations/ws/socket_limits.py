"""The limit on a user's open sockets per process."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress

from django.conf import settings

from conversations.running.engine import Engine

SPREAD = 5.0  # seconds over which sockets are closed at most when the server restarts
CLOSED_A_SECOND = 200  # of them, if that takes no longer

CLOSING = 2.0  # seconds for one that does not read

Leave = Callable[[], Awaitable[None]]


class TooMany(Exception):
    """The user has too many sockets open."""


class Sockets:
    """The open sockets of a process, each with a function that closes it: a part of its engine."""

    def __init__(self, engine: Engine) -> None:
        """Register closing the sockets when the engine drains."""
        engine.at_drain.append(self.close_all)
        self._open: defaultdict[uuid.UUID, dict[object, Leave]] = defaultdict(dict)

    def enter(self, user: uuid.UUID, socket: object, leave: Leave) -> None:
        """Count a socket in. Raises TooMany."""
        if len(self._open[user]) >= settings.COLLOQUY_SOCKETS_PER_USER:
            raise TooMany
        self._open[user][socket] = leave

    def left(self, user: uuid.UUID, socket: object) -> None:
        """Count a socket of a user out, if it was counted in."""
        self._open[user].pop(socket, None)
        if not self._open[user]:
            del self._open[user]

    async def close_all(self) -> None:
        """Close all sockets, spread over a while, since all clients reconnect elsewhere."""
        leaving = [leave for sockets in self._open.values() for leave in sockets.values()]
        spread = min(SPREAD, len(leaving) / CLOSED_A_SECOND)
        await asyncio.gather(*(_later(random.uniform(0, spread), leave) for leave in leaving))  # noqa: S311


async def _later(seconds: float, leave: Leave) -> None:
    await asyncio.sleep(seconds)
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSING):
            await leave()
