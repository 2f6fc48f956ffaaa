"""The web process: uvicorn, as this platform needs it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import uvicorn
from django.conf import settings
from uvicorn.supervisors import Multiprocess

FRAME_LIMIT = 1024 * 1024  # bytes of a WebSocket frame; images go by HTTP
AFTER_DRAIN = 2  # seconds that streams get to send their last events
KEEP_ALIVE = 75  # seconds that an idle connection may count on: longer than clients and proxies keep theirs by default
AFTER_KEEP_ALIVE = 5  # seconds more, for a request that was sent at the last moment

PROXIES = ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]
"""Whose word for a client's address is taken behind a proxy: networks that are nobody's on the internet."""


def serve(host: str, port: int, workers: int = 1) -> None:
    """Serves until a signal, with so many processes."""
    config = uvicorn.Config(
        "config.asgi:application",
        host=host,
        port=port,
        workers=workers,
        lifespan="on",
        http="config.protocols:HttpProtocol",
        ws="config.protocols:WebSocketProtocol",
        ws_max_size=FRAME_LIMIT,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        proxy_headers=settings.BEHIND_PROXY,
        forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS") or PROXIES,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE + AFTER_KEEP_ALIVE,
        headers=[("Keep-Alive", f"timeout={KEEP_ALIVE}")],
        timeout_graceful_shutdown=AFTER_DRAIN,
    )
    if workers > 1:
        Multiprocess(config, sockets=[config.bind_socket()]).run()
        return
    # Uvicorn raises the signal again when it has shut down; SIGTERM would then end us before our callers can tidy up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()
