from __future__ import annotations

import asyncio
import logging
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.migrated import migrations
from config.shutdown import drain_on_signals
from conversations.claude.client import prepare_client
from conversations.running.engine import engine

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """The command `manage.py runner`: run turns without serving anything."""

    help = "Runs turns without serving requests; for use with web processes that have COLLOQUY_RUN_TURNS=false."
    requires_system_checks = []  # they would load every page of the API and the admin, which it does not serve

    def handle(self, *args: object, **options: Any) -> None:
        """Run turns until a signal."""
        settings.COLLOQUY_RUN_TURNS = True
        asyncio.run(run())


async def run() -> None:
    """Run the engine alone, once the database has its tables."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(ended.set))
    ready = asyncio.create_task(migrations.wait())
    await asyncio.wait((ready, asyncio.create_task(ended.wait())), return_when=asyncio.FIRST_COMPLETED)
    if ended.is_set():
        return
    here = await engine()
    drain_on_signals()
    logger.info("The runner has started: it runs %s.", ", ".join(f"{runner.work.name}s" for runner in here.runners))
    preparing = asyncio.create_task(prepare_client())
    await ended.wait()
    preparing.cancel()
    await here.stop()
    logger.info("The runner has stopped.")
