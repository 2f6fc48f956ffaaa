"""The probes of load balancers and orchestrators: liveness and readiness."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import orjson
from django.db import connection

from config.migrated import migrations
from conversations.api.middleware import new_id
from conversations.asgi_types import App, Receive, Scope, Send
from conversations.database import in_database
from conversations.database_faults import DATABASE_ERRORS
from conversations.errors import Unavailable
from conversations.running.engine import draining

PATIENCE = 2.0  # seconds to wait for Postgres
RETRY_AFTER = 5  # seconds
COME_AGAIN = 1012  # the close code of a service that restarts


class Health:
    """Answers `/healthz` and `/readyz` before anything else: probes come without host name and credentials, and often.

    Until the database has the migrations of this code, all other requests get 503.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a probe, or pass the request on."""
        if scope["path"] == "/healthz":
            await _answer(send, 200, {"status": "ok"})
        elif scope["path"] == "/readyz":
            await _answer_readiness(send)
        elif await migrations.applied():
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": COME_AGAIN})
        else:
            await _answer(send, 503, Unavailable("The platform's database is not ready.").payload(new_id()))


async def _answer_readiness(send: Send) -> None:
    database = await _database_answers()
    checks: dict[str, object] = {
        "database": database,
        "migrations": database and await migrations.applied(),
        "accepting": not draining(),
    }
    ready = all(checks.values())
    if not ready and migrations.missing:
        checks["reason"] = migrations.missing
    await _answer(send, 200 if ready else 503, {"status": "ok" if ready else "unavailable", **checks})


async def _answer(send: Send, status: int, body: Mapping[str, object]) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER).encode()))
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
