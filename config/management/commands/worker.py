from __future__ import annotations

import asyncio
import logging
import signal
from typing import Any, cast

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from conversations.wakes import heard

logger = logging.getLogger(__name__)

CONCURRENCY = 4
RESTART = 1.0  # seconds until it begins anew where Postgres has left it


class Command(BaseCommand):
    """`manage.py worker`."""

    help = "Does what is to be done by itself: nightly jobs, and the recovery of jobs whose worker died."
    requires_system_checks = []  # they would load every page of the API and the admin, which it does not serve

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until a signal; what it is at is finished first."""
        asyncio.run(work())


async def work() -> None:
    """Takes jobs until a signal, however often Postgres goes away: Procrastinate's worker ends with its connection."""
    signalled = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, signalled.set)
    while not signalled.is_set():
        working = asyncio.create_task(take_jobs())
        stopping = asyncio.create_task(signalled.wait())
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        working.cancel()  # which lets it finish what it is at
        stopping.cancel()
        [outcome, _] = await asyncio.gather(working, stopping, return_exceptions=True)
        if not signalled.is_set():
            logger.warning("The worker begins anew: %s", outcome)
            await heard(signalled, RESTART)


async def take_jobs() -> None:
    """Takes jobs until it is cancelled."""
    connector = cast(DjangoConnector, app.connector).get_worker_connector()
    working = app.with_connector(connector)
    async with working.open_async():
        await working.run_worker_async(concurrency=CONCURRENCY, install_signal_handlers=False)
