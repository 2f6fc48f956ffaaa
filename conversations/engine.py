"""What a process does besides answering requests: it writes the journal, hears the others, and runs work.

One engine per event loop, which is one per process. It starts with the server (ASGI lifespan) or, where the server
sends no lifespan (Daphne), at the first request that needs it.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from django.conf import settings

from conversations.claude.client import close_client
from conversations.database import AWAY, in_database
from conversations.fields import uuid7
from conversations.journal import Journal
from conversations.models.lease import end_lease, renew_lease
from conversations.runner import Runner, Work, in_background
from conversations.services.notices import tell
from conversations.wakes import Wakes

logger = logging.getLogger(__name__)

SWEEP = 5.0  # seconds between looks for work that was left lying
RESTART = 1.0  # seconds until a task that failed is begun again
UNTAKEN = 2.0  # seconds after which queued work is anyone's

_engines: WeakKeyDictionary[asyncio.AbstractEventLoop, Engine] = WeakKeyDictionary()
_work: list[Callable[[Engine], Work]] = []


def register(work: Callable[[Engine], Work]) -> None:
    """Names a kind of work that every engine runs; called when an app is ready."""
    _work.append(work)


async def engine() -> Engine:
    """The engine of the running loop, started if it is not yet."""
    loop = asyncio.get_running_loop()
    if loop not in _engines:
        _engines[loop] = Engine()
        _engines[loop].start()
    return _engines[loop]


class Engine:
    """The long-lived tasks of a process, and what they share."""

    def __init__(self) -> None:
        self.process: uuid.UUID = uuid7()
        self.wakes = Wakes()
        self.journal = Journal(self.wakes)
        self.draining = False
        self.runners: list[Runner] = [Runner(work(self)) for work in _work]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to write, listen, keep the lease and sweep."""
        for runner in self.runners:
            if settings.COLLOQUY_RUN_TURNS:
                self.wakes.on(f"queued-{runner.work.name}", runner.offer)
            self.wakes.on("cancel", runner.cancel)
        forever = (self.journal.write, self.wakes.listen, self._keep_lease, self._sweep)
        self._tasks = [in_background(for_ever(each)) for each in forever]

    def runner(self, name: str) -> Runner:
        """The runner of a kind of work."""
        return next(runner for runner in self.runners if runner.work.name == name)

    async def run(self, name: str, id: uuid.UUID) -> None:
        """Runs new work here, or tells the processes that do."""
        if settings.COLLOQUY_RUN_TURNS and not self.draining:
            self.runner(name).start(id)
        else:
            await in_database(tell, f"queued-{name}", id)

    async def drain(self) -> None:
        """Takes nothing new, lets what runs end by itself for `COLLOQUY_DRAIN` seconds, and stops the rest."""
        if self.draining:
            return
        self.draining = True
        await asyncio.gather(*(runner.drain(settings.COLLOQUY_DRAIN) for runner in self.runners))

    async def stop(self) -> None:
        """Drains, and ends everything."""
        await self.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await in_database(end_lease, self.process)
        except AWAY:
            logger.warning("Postgres is away: the lease of this process is left to run out")
        await close_client()
        _engines.pop(asyncio.get_running_loop(), None)

    async def _keep_lease(self) -> None:
        while True:
            try:
                await in_database(renew_lease, self.process)
                for runner in self.runners:
                    runner.cancel(await in_database(runner.work.to_cancel, self.process))
            except AWAY as error:
                logger.warning("The lease could not be renewed: %s", error)
                await asyncio.sleep(1)
                continue
            await asyncio.sleep(settings.COLLOQUY_LEASE / 3)

    async def _sweep(self) -> None:
        """Settles what dead processes left running, and runs what nobody took."""
        while True:
            await asyncio.sleep(SWEEP)
            try:
                for runner in self.runners:
                    await runner.sweep(UNTAKEN if settings.COLLOQUY_RUN_TURNS and not self.draining else None)
            except AWAY as error:
                logger.warning("The sweep waits for Postgres: %s", error)


async def for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Keeps one of the engine's tasks going: without any of them every reader of the process would wait in vain."""
    while True:
        try:
            await work()
        except Exception:  # whatever it was, it is logged, and begun again
            logger.exception("A task of the engine failed")
            await asyncio.sleep(RESTART)
