"""The web process: uvicorn, with an end that loses nothing."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import suppress
from types import FrameType

import uvicorn
from django.conf import settings

from conversations.engine import engine

FRAME_LIMIT = 1024 * 1024  # bytes of a WebSocket frame; images go by HTTP
AFTER_DRAIN = 3  # seconds that streams get to send their last events


class Server(uvicorn.Server):
    """Begins to drain with the signal: uvicorn itself would wait for the streams first, and they for their turns."""

    _loop: asyncio.AbstractEventLoop
    _draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Remembers the loop, which a signal handler can't ask for."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM or Ctrl-C."""
        self._loop.call_soon_threadsafe(self._drain)
        super().handle_exit(sig, frame)

    def _drain(self) -> None:
        self._draining = self._draining or asyncio.create_task(_drain())


async def _drain() -> None:
    await (await engine()).drain()


def serve(host: str, port: int) -> None:
    """Serves until a signal."""
    config = uvicorn.Config(
        "config.asgi:application",
        host=host,
        port=port,
        lifespan="on",
        ws="websockets-sansio",
        ws_max_size=FRAME_LIMIT,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.COLLOQUY_DRAIN) + AFTER_DRAIN,
    )
    # Uvicorn raises the signal again when it has shut down; SIGTERM would then end us before our callers can tidy up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        Server(config).run()
