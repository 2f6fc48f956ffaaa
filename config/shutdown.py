"""Graceful shutdown of a process by a signal."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from conversations.asgi_types import App, Message, Receive, Scope, Send
from conversations.running.engine import draining, running_engine

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def drain_on_signals() -> None:
    """Drain before the server shuts down: it would drop the sockets and wait for the streams, and they for turns.

    On the first signal the process drains while it still serves readers, and passes the signal on afterwards. A second
    signal is passed on at once.
    """
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            _drain_before(number, signal.getsignal(number))


Handler = Callable[[int, FrameType | None], object] | int | None


def _drain_before(number: int, then: Handler) -> None:
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def leave(again: bool) -> None:
        here = running_engine()
        if here and again:
            here.hurry()
        elif here:
            await here.drain()
        if callable(then):
            then(number, None)

    def begin() -> None:
        task = loop.create_task(leave(again=bool(tasks)))
        tasks.add(task)

    signal.signal(number, lambda *_: loop.call_soon_threadsafe(begin))


class ClosingConnections:
    """An ASGI application whose responses announce the end of their connection while the process drains.

    So no client sends a request over a connection that is about to be closed, not knowing whether the request was
    accepted.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""

        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start" and draining():
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, closing)


def end_with_parent() -> None:
    """Have this process end when its supervisor has ended, for instance by SIGKILL.

    Only for processes of `multiprocessing`, such as the workers of `serve --workers` and of uvicorn. Orphaned workers
    would keep the port.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:

        def follow() -> None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=follow, name="end-with-parent", daemon=True).start()
