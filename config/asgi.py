"""The ASGI application: HTTP to Django, WebSockets to Channels, and the engine's life with the server's."""

from __future__ import annotations

import gc
import os
from typing import Any

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config.bodies import BodyLimits  # noqa: E402 - they need the settings and the models
from config.handler import Handler  # noqa: E402
from config.health import Health  # noqa: E402
from config.shutdown import ClosingConnections, drain_on_signals  # noqa: E402
from conversations.api.answers import Answering  # noqa: E402
from conversations.claude.client import client  # noqa: E402
from conversations.engine import engine  # noqa: E402
from conversations.ws.consumer import Socket  # noqa: E402
from conversations.ws.routing import not_found  # noqa: E402


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Starts the engine before the first request, to take over what a crash left, and stops it after the last."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await engine()
            await client()  # it loads certificates, which takes longer than a first turn should wait
            drain_on_signals()
            # What is loaded by now stays: a full collection would look at all of it, and stop every stream meanwhile.
            gc.collect()
            gc.freeze()
            gc.set_threshold(20_000, 20, 100)
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await (await engine()).stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter(
    {
        "http": ClosingConnections(Health(BodyLimits(Answering(Handler())))),
        "websocket": URLRouter([path("ws/", Socket.as_asgi()), path("<path:rest>", not_found)]),  # type: ignore[arg-type]
        "lifespan": lifespan,
    }
)
