"""The ASGI application: HTTP to Django, WebSockets to Channels; the engine starts and stops with the server."""

from __future__ import annotations

import asyncio
import gc
import logging
import os

import django
from channels.routing import ProtocolTypeRouter
from django.conf import settings

from conversations.asgi_types import Receive, Scope, Send

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

import config.urls  # noqa: E402, F401 - else the first request would wait for all that it imports
from config.bodies import BodyLimits  # noqa: E402
from config.handler import Handler  # noqa: E402
from config.health import Health  # noqa: E402
from config.migrated import migrations  # noqa: E402
from config.request_log import Logged  # noqa: E402 - they need the settings and the models
from config.shutdown import ClosingConnections, drain_on_signals, end_with_parent  # noqa: E402
from conversations.api.later import Answering  # noqa: E402
from conversations.claude.client import prepare_client  # noqa: E402
from conversations.running.engine import engine, running_engine  # noqa: E402
from conversations.ws.routing import sockets  # noqa: E402

logger = logging.getLogger(__name__)


async def start() -> None:
    """Start the engine, which takes over work of crashed processes, once the database has its tables."""
    await migrations.wait()
    await engine()
    logger.info("Serving; %s", "running turns" if settings.COLLOQUY_RUN_TURNS else "turns are run by other processes")


def keep_loaded(*_: object) -> None:
    """Exclude everything that is loaded by now from garbage collection.

    They stay in memory anyway, and a full garbage collection would scan all of them and stop every stream meanwhile.
    """
    gc.freeze()


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Start the engine before the first request, and stop it after the last.

    If the database is not ready, the server starts without an engine, so that `/readyz` can report it.
    """
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            starting = asyncio.create_task(start())
            if await migrations.applied():
                await starting
            drain_on_signals()
            end_with_parent()
            gc.collect()
            keep_loaded()
            await send({"type": "lifespan.startup.complete"})
            preparing = asyncio.create_task(prepare_client())
            preparing.add_done_callback(keep_loaded)
        elif message["type"] == "lifespan.shutdown":
            starting.cancel()
            preparing.cancel()
            if here := running_engine():
                await here.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter(
    {
        "http": Logged(ClosingConnections(Health(BodyLimits(Answering(Handler()))))),
        "websocket": Logged(Health(sockets)),
        "lifespan": lifespan,
    }
)
