"""What a load balancer or an orchestrator asks: does the process live, and may it be given requests?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from django.db import connection

from conversations.database import in_database
from conversations.engine import draining
from conversations.faults import DATABASE_ERRORS

PATIENCE = 2.0  # seconds that Postgres gets to answer

App = Callable[[Any, Any, Any], Awaitable[None]]


class Health:
    """Answers `/healthz` and `/readyz` before anything else: probes come by address, without credentials, and often."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The probe's answer, or the application's."""
        if scope["path"] == "/healthz":
            await _answer(send, 200, {"status": "ok"})
        elif scope["path"] == "/readyz":
            checks = {"database": await _database_answers(), "accepting": not draining()}
            ready = all(checks.values())
            await _answer(send, 200 if ready else 503, {"status": "ok" if ready else "unavailable", **checks})
        else:
            await self._app(scope, receive, send)


async def _answer(send: Any, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(body)})


async def _database_answers() -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await in_database(_ask)
    except (TimeoutError, *DATABASE_ERRORS):
        return False
    return True


def _ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
