"""What a load balancer or an orchestrator asks: does the process live, and may it be given requests?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.db import connection
from django.http import HttpRequest, JsonResponse

from conversations.database import AWAY, in_database
from conversations.engine import draining

PATIENCE = 2.0  # seconds that Postgres gets to answer


class Health:
    """Answers `/healthz` and `/readyz` before anything else: probes come by address and without credentials."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> Any:
        """The probe's answer, or the request's."""
        if request.path == "/healthz":
            return JsonResponse({"status": "ok"})
        if request.path == "/readyz":
            return await readiness()
        return await self._get_response(request)


async def readiness() -> JsonResponse:
    """200 if new turns are taken and Postgres answers, else 503; and which of them it is."""
    checks = {"database": await _database_answers(), "accepting": not draining()}
    ready = all(checks.values())
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", **checks},
        status=200 if ready else 503,
        headers={} if ready else {"Retry-After": "5"},
    )


async def _database_answers() -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await in_database(_ask)
    except (TimeoutError, *AWAY):
        return False
    return True


def _ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
