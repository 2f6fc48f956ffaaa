from __future__ import annotations

import asyncio
import logging
import signal
import sys
from typing import Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from config.migrated import migrations
from conversations.running.engine import running_engine
from conversations.streaming.wakes import wait_for_news

logger = logging.getLogger(__name__)

CONCURRENCY = 16  # jobs at a time; most of them wait for Claude
AGAIN = 1.0  # seconds until a task that did not end is cancelled again
RESTART = 1.0  # seconds until it restarts after losing Postgres


class Command(BaseCommand):
    """The command `manage.py worker`: runs batches and scheduled jobs, and recovers the jobs of dead workers."""

    help = "Processes batches of extractions, runs nightly jobs, and recovers jobs of workers that died."
    requires_system_checks = []  # they would load every page of the API and the admin, which it does not serve

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options of the command."""
        parser.add_argument("--with-parent", action="store_true", help="stop when standard input is closed")

    def handle(self, *args: object, **options: Any) -> None:
        """Work until a signal; running jobs are finished first."""
        settings.COLLOQUY_RUN_TURNS = False  # it runs work from jobs only
        asyncio.run(work(options["with_parent"]))


async def work(with_parent: bool) -> None:
    """Take jobs until a signal, and restart after losing Postgres: Procrastinate's worker ends with its connection."""
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    if with_parent:  # the parent writes nothing to it: it becomes readable when the parent has ended, in whatever way
        loop.add_reader(sys.stdin, signalled.set)
    while not signalled.is_set():
        working = asyncio.create_task(take_jobs())
        stopping = asyncio.create_task(signalled.wait())
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if here := running_engine():
            await here.stop()  # so that no job waits for an extraction any more
        working.cancel()  # Procrastinate then finishes running jobs
        stopping.cancel()
        [outcome, _] = await asyncio.gather(working, stopping, return_exceptions=True)
        if not signalled.is_set():
            logger.warning("The worker restarts: %s", outcome)
            await wait_for_news(signalled, RESTART)
    await end_the_rest()
    logger.info("The worker has stopped.")


async def end_the_rest() -> None:
    """Cancel the tasks that Procrastinate leaves behind until they end: an unstarted task can miss a cancellation."""
    while rest := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in rest:
            task.cancel()
        await asyncio.wait(rest, timeout=AGAIN)


async def take_jobs() -> None:
    """Take jobs until it is cancelled, once the database has its tables."""
    await migrations.wait()
    connector = cast(DjangoConnector, app.connector).get_worker_connector()
    working = app.with_connector(connector)
    async with working.open_async():
        tasks = ", ".join(sorted({task.name.split(".")[-1] for task in working.tasks.values()}))
        logger.info("The worker has started: up to %d jobs at a time, of %s.", CONCURRENCY, tasks)
        await working.run_worker_async(concurrency=CONCURRENCY, install_signal_handlers=False)
