"""The web process: uvicorn with the platform's settings."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from django.conf import settings
from django.core.management.base import CommandError
from uvicorn.supervisors import Multiprocess

from config.system_checks import NO_KEY

FRAME_LIMIT = 1024 * 1024  # bytes of a WebSocket frame; images go by HTTP
AFTER_DRAIN = 2  # seconds for streams to send their last events
KEEP_ALIVE = 75  # seconds that an idle connection stays open: longer than the defaults of clients and proxies
AFTER_KEEP_ALIVE = 5  # seconds more, for a request that was sent at the last moment
WORKER_ANSWER = 60  # seconds without an answer after which a worker is replaced; one that starts may be busy for long

PROXIES = ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]
"""The proxies whose X-Forwarded-For is trusted: private networks."""


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to the port and does not listen yet. Raise CommandError if the port is taken."""
    try:
        [family, kind, _, _, address], *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        listening = socket.socket(family, kind)
    except OSError as error:
        raise CommandError(f"--host {host} is not an address of this machine: {error.strerror}.") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise CommandError(f"Port {port} of {host} can't be used: {error.strerror}. --port names another.") from None
    listening.set_inheritable(True)
    return listening


def refuse_sandbox_for_others(host: str, allowed: bool) -> None:
    """Raise CommandError if users on other machines would be answered by the sandbox without permission."""
    if settings.SANDBOX and not allowed and (settings.PRODUCTION or not is_loopback(host)):
        raise CommandError(NO_KEY)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server at that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Server(uvicorn.Server):
    """A uvicorn server with a callback for when it serves."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve; then call back when the first request can be answered."""
        await super().startup(sockets)
        self._ready()


def serve(listening: socket.socket, workers: int = 1, ready: Callable[[], None] = lambda: None) -> None:
    """Serve on a bound socket until a signal.

    `workers` is the number of processes. `ready` is called when the first request can be answered; with several
    workers, before they start.
    """
    config = uvicorn.Config(
        "config.asgi:application",
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
        timeout_worker_healthcheck=WORKER_ANSWER,
    )
    if workers > 1:
        ready()
        Multiprocess(config, [listening]).run()
        return
    # Uvicorn raises the signal again when it has shut down; SIGTERM would then end us before our callers can tidy up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        Server(config, ready).run([listening])
