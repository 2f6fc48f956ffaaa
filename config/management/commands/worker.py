from __future__ import annotations

import asyncio
from typing import Any, cast

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

CONCURRENCY = 4


class Command(BaseCommand):
    """`manage.py worker`."""

    help = "Does what is to be done by itself: nightly jobs, and the recovery of jobs whose worker died."

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until a signal; what it is at is finished first."""
        asyncio.run(work())


async def work() -> None:
    """Takes jobs for ever."""
    connector = cast(DjangoConnector, app.connector).get_worker_connector()
    working = app.with_connector(connector)
    async with working.open_async():
        await working.run_worker_async(concurrency=CONCURRENCY)
