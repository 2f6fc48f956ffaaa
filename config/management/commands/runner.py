from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.shutdown import drain_on_signals
from conversations.engine import engine


class Command(BaseCommand):
    """`manage.py runner`."""

    help = "Runs turns and serves nothing, beside web processes with COLLOQUY_RUN_TURNS=false."
    requires_system_checks = []  # they would load every page of the API and the admin, which it does not serve

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs until a signal."""
        settings.COLLOQUY_RUN_TURNS = True
        asyncio.run(run())


async def run() -> None:
    """The engine alone."""
    ended = asyncio.Event()
    here = await engine()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    drain_on_signals()
    await ended.wait()
    await here.stop()
