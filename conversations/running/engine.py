"""The long-lived tasks of a process: journal, readers, notifications, lease and work.

There is one engine per event loop, which is one per process. It starts with the server (ASGI lifespan) or, if the
server sends no lifespan (Daphne), at the first request that needs it.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import psycopg
from django.conf import settings
from django.utils.module_loading import import_string

from conversations.claude.client import close_client
from conversations.database import RETRY, close_connections, connected, in_database, mend_pool
from conversations.database_faults import DATABASE_ERRORS, is_lost
from conversations.fields import uuid7
from conversations.loop_local import LoopLocal
from conversations.models import Process
from conversations.running.access_watch import AccessWatch
from conversations.running.begin_writer import BeginWriter
from conversations.running.end_writer import EndWriter
from conversations.running.memory import give_back
from conversations.running.work_runner import WorkRunner, in_background
from conversations.services import model_listing, search_index
from conversations.services.accounts.credentials import revoked
from conversations.services.accounts.remembered_tokens import RememberedTokens
from conversations.services.accounts.shares import ended
from conversations.services.billing.price_list import OwnPrices
from conversations.services.notices import notify
from conversations.streaming.journal import Journal
from conversations.streaming.readers import Readers
from conversations.streaming.tables import TranscriptTables
from conversations.streaming.wakes import Wakes, wait_for_news

T = TypeVar("T")

logger = logging.getLogger(__name__)

CATALOGUE = 60.0  # seconds between reloads of the models, in case a notification was lost
LAST_WORDS = 1.0  # seconds for releasing the lease
LOOKS = 6  # sweeps for abandoned work per lease time
INDEX = 2.0  # seconds between checks for texts to index
RESTART = 1.0  # seconds until a task that failed is begun again
RETRY_AFTER = 5.0  # seconds for `Retry-After` in responses of a draining process
UNTAKEN = 2.0  # seconds after which any process may claim queued work

ENGINE: LoopLocal[Engine] = LoopLocal()


async def engine(*, takes_work: bool | None = None) -> Engine:
    """Return the engine of the running loop, started on first use.

    `takes_work` says whether it runs queued work; the default is the setting COLLOQUY_RUN_TURNS.
    """
    here = ENGINE.get()
    if here is None:
        here = ENGINE.set(Engine(settings.COLLOQUY_RUN_TURNS if takes_work is None else takes_work))
        here.start()
    return here


def running_engine() -> Engine | None:
    """Return the engine of this process, if there is one. For synchronous code, which has no running loop."""
    return next(iter(ENGINE.all()), None)


def draining() -> bool:
    """Return whether this process accepts no new work. For synchronous code too, which has no running loop."""
    return any(each.draining for each in ENGINE.all())


class Stream:
    """The transcripts of one kind of work: the writer and the readers of this process."""

    def __init__(self, wakes: Wakes, tables: TranscriptTables) -> None:
        wakes.look_at(tables.work)
        self.journal = Journal(wakes, tables)
        self.readers = Readers(tables)


class Engine:
    """The long-lived tasks of a process, and what they share."""

    def __init__(self, takes_work: bool) -> None:
        self.process: uuid.UUID = uuid7()
        self._takes_work = takes_work
        self.loop = asyncio.get_running_loop()
        self.wakes = Wakes()
        works = [import_string(work) for work in settings.COLLOQUY_WORK]
        self._streams = {tables.kind: Stream(self.wakes, tables) for work in works if (tables := work.tables)}
        self.journal = self.stream("turn").journal
        self.beginnings = BeginWriter()
        self.endings = EndWriter()
        self.own_prices: OwnPrices | None = None
        """The platform's own prices as they were when the cost of an ended turn was last computed."""
        self.guard = AccessWatch(revoked, lambda credential: credential.user)
        self.memberships = AccessWatch(ended, lambda membership: membership.conversation)
        self.tokens = RememberedTokens(self.wakes)
        self.draining = False
        self.drained = False
        """Whether the process's work has ended: remaining readers continue on another process."""
        self.at_drain: list[Callable[[], Awaitable[None]]] = []
        """Further tasks that have to end before the process may stop."""
        self.at_stop: list[Callable[[], Awaitable[None]]] = []
        """Called when everything has ended."""
        self.runners = [WorkRunner(work(self), self.process) for work in works]
        self._parts: dict[Callable[[Engine], object], object] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._drain: asyncio.Task[None] | None = None
        self._mending: asyncio.Task[None] | None = None
        self._look = asyncio.Event()
        self._new_models = asyncio.Event()
        self._hurry = asyncio.Event()

    def start(self) -> None:
        """Start to write, read, listen, renew the lease and sweep."""
        for runner in self.runners:
            if self._takes_work:
                self.wakes.on(f"queued-{runner.work.name}", runner.offer)
            self.wakes.on("cancel", runner.cancel)
        self.wakes.on("models", lambda _ids: self._new_models.set())
        self.wakes.on("access", self.guard.look)
        self.wakes.on("access", self.tokens.forget)
        self.wakes.on("shares", self.memberships.look)
        self.wakes.on_gap(self.tokens.forget_all)
        self.wakes.on_gap(self._after_gap)
        forever = (
            *(stream.journal.write for stream in self._streams.values()),
            self.beginnings.serve,
            self.endings.serve,
            *(stream.readers.serve for stream in self._streams.values()),
            self.guard.serve,
            self.memberships.serve,
            self.wakes.listen,
            self._keep_lease,
            self._sweep,
            self._keep_catalogue,
            self._index,
            give_back,
        )
        self._tasks = [in_background(for_ever(each)) for each in forever]

    def stream(self, kind: str) -> Stream:
        """Return the transcripts of a kind of work."""
        return self._streams[kind]

    def runner(self, name: str) -> WorkRunner:
        """Return the runner of a kind of work."""
        return next(runner for runner in self.runners if runner.work.name == name)

    def part(self, make: Callable[[Engine], T]) -> T:
        """Return the state of an entry point in this engine, created by `make` on first use."""
        if make not in self._parts:
            self._parts[make] = make(self)
        return cast(T, self._parts[make])

    @property
    def takes_work(self) -> bool:
        """Return whether new work may be run in this process."""
        return self._takes_work and not self.draining

    async def run(self, name: str, id: uuid.UUID) -> None:
        """Run new work here, or notify the processes that run work."""
        if self.takes_work:
            self.runner(name).start(id)
            return
        try:
            await in_database(notify, f"queued-{name}", id)
        except DATABASE_ERRORS:
            logger.warning("The notification of %s %s failed: a sweep will find it", name, id)

    async def drain(self) -> None:
        """Accept no new work, let running work end for `COLLOQUY_DRAIN` seconds, and stop the rest."""
        self.draining = True
        self._drain = self._drain or asyncio.create_task(self._end_all())
        await self._drain

    async def _end_all(self) -> None:
        rest = [runner.drain(settings.COLLOQUY_DRAIN, self._hurry) for runner in self.runners]
        await asyncio.gather(*rest, *(leave() for leave in self.at_drain))
        self.drained = True
        self.wakes.wake_all()

    def hurry(self) -> None:
        """Stop running work at once while the process drains, after a second signal."""
        self._hurry.set()

    async def stop(self) -> None:
        """Drain, end all tasks, and release the lease."""
        await self.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(LAST_WORDS):
                # Other processes may settle what is still held.
                await in_database(Process.objects.filter(pk=self.process).delete)
        except (TimeoutError, *DATABASE_ERRORS) as error:
            logger.warning("The lease of this process could not be released, and will expire: %s", error)
        await asyncio.gather(*(close() for close in self.at_stop))
        await close_client()
        await close_connections()
        ENGINE.pop()

    def _after_gap(self) -> None:
        """Sweep, and repair the pool: Postgres was unavailable, and notifications may have been missed."""
        self._look.set()
        self._mending = in_background(mend_pool())

    async def _keep_lease(self) -> None:
        """Renew the lease until cancelled, on a separate connection, so that no slow query delays it."""
        connection = await connected()
        while True:
            try:
                await Process.renew(connection, self.process)
            except psycopg.Error as error:
                if not is_lost(error):
                    raise
                logger.warning("The lease could not be renewed: %s", error)
                await asyncio.sleep(RETRY)
                connection = await connected()
                continue
            await asyncio.sleep(settings.COLLOQUY_LEASE / 3)

    async def _keep_catalogue(self) -> None:
        """Load the Models API's list from the database, after each notification and from time to time."""
        while True:
            self._new_models.clear()
            try:
                await in_database(model_listing.load_listing)
            except DATABASE_ERRORS as error:
                logger.warning("The catalogue could not be read: %s", error)
            await wait_for_news(self._new_models, CATALOGUE)

    async def _index(self) -> None:
        """Index new texts for the search, in portions, pausing after each as long as it took."""
        while True:
            began = time.monotonic()
            try:
                more = await in_database(search_index.index_some)
            except DATABASE_ERRORS as error:
                logger.warning("Indexing for the search is postponed: %s", error)
                more = False
            await asyncio.sleep(time.monotonic() - began if more else INDEX)

    async def _sweep(self) -> None:
        """Settle the work of dead processes, and run queued work that nobody has claimed, repeatedly."""
        while True:
            await wait_for_news(self._look, settings.COLLOQUY_LEASE / LOOKS)
            self._look.clear()
            for runner in self.runners:
                try:
                    await runner.sweep(UNTAKEN if self.takes_work else None)
                except DATABASE_ERRORS as error:
                    logger.warning("The sweep for every %s is postponed: %s", runner.work.name, error)


async def for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Restart a task of the engine whenever it fails: without it every reader of the process would wait in vain."""
    while True:
        try:
            await work()
        except Exception:  # any error is logged, and the task restarted
            logger.exception("A task of the engine failed")
            await asyncio.sleep(RESTART)
