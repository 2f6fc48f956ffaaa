"""A TCP proxy that cuts connections, at random or all at once."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from tests.processes import free_port


class CuttingProxy:
    """A proxy of a port of this machine, in a thread of its own.

    While `cutting`, a connection is cut after a random number of bytes from the server. While `down`, a new connection
    is accepted and cut at once.
    """

    def __init__(self, target: int, *, seed: int = 1, bytes_between: tuple[int, int] = (200, 6000)) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.cuts = 0
        self.cutting = False
        self.down = False
        self._target = target
        self._dice = random.Random(seed)
        self._bytes_between = bytes_between
        self._open: set[asyncio.StreamWriter] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._forward()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *error: object) -> None:
        self.cut_all()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    async def _forward(self) -> None:
        """Accept and relay connections until the proxy is closed, and wait until all of them have ended."""
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self._started.set()
        await self._over.wait()
        self.down = True
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await self._cut_all()
            await asyncio.wait(others, timeout=0.1)
        server.close()  # while no connection is being accepted: asyncio would leave it open

    def cut_all(self) -> None:
        """Cut every open connection."""
        asyncio.run_coroutine_threadsafe(self._cut_all(), self._loop).result(10)

    async def _cut_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._aborting(writer), suppress(OSError):
            if self.down:
                return
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._target)
            with self._aborting(upstream_writer):
                up = asyncio.create_task(self._pass_on(reader, upstream_writer, None))
                limit = self._dice.randint(*self._bytes_between)
                await self._pass_on(upstream_reader, writer, limit)
                up.cancel()

    @contextmanager
    def _aborting(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        """Register a connection as one that can be cut, and abort it at the end."""
        self._open.add(writer)
        try:
            yield
        finally:
            self._open.remove(writer)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> None:
        """Relay bytes until either side closes, or, while cutting, `limit` bytes have been relayed."""
        with suppress(OSError):
            while data := await reader.read(1024):
                if limit is not None and self.cutting and (limit := limit - len(data)) < 0:
                    self.cuts += 1
                    writer.write(data[:limit])
                    return
                writer.write(data)
                await writer.drain()
        if limit is None:
            writer.transport.abort()
