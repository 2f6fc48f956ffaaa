"""Clients that begin one turn each and read it to its end, with as little CPU as possible."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

from tests.benchmarks.load import LONGEST, SENT, Kind, requests

ENDS = {"sse": b"\r\n0\r\n\r\n", "express": b"\r\n0\r\n\r\n", "ws": b'"type":"turn_end"', "direct": b"\r\n0\r\n\r\n"}
"""The bytes that end a turn's answer: the last chunk of an HTTP body, or the last event on a socket."""

LONGEST_END = max(map(len, ENDS.values()))


@dataclass
class Times:
    """Seconds from a turn's request to its first delta and to its last byte, of every turn that has got so far."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)


class Client(asyncio.Protocol):
    """A client of one turn. Its future `ended` is done when the last byte has come."""

    def __init__(self, kind: Kind, request: bytes, then: bytes, times: Times) -> None:
        self._request, self._then, self._times = request, then, times
        self._end = ENDS[kind]
        self._rest = b""
        self._begun = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._asked = time.monotonic()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._then:  # a socket's handshake is answered
            self._transport.write(self._then)
            self._then = b""
        seen = self._rest + data
        if not self._begun and SENT.search(seen):
            self._begun = True
            self._times.first.append(time.monotonic() - self._asked)
        if self._end in seen and self._begun and not self.ended.done():
            self._times.whole.append(time.monotonic() - self._asked)
            self.ended.set_result(None)
            self._transport.close()
        self._rest = seen[-max(LONGEST, LONGEST_END) :]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionError("closed before the turn's end"))


async def converse(
    kind: Kind, port: int, token: str, conversations: list[str], deltas: int, rate: float | None = None
) -> Times:
    """Begin a turn of `deltas` in each conversation, all at once or `rate` a second; return when all have ended.

    Raise ConnectionError if a connection is closed before its turn's end.
    """
    times, loop, clients = Times(), asyncio.get_running_loop(), []
    began = loop.time()
    for number, conversation in enumerate(conversations):
        if rate:
            await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        request, then = requests(kind, f"127.0.0.1:{port}", token, conversation, f"deltas={deltas}")
        clients.append(loop.create_task(_begin(kind, port, request, then, times)))
    for client in await asyncio.gather(*clients):
        await client.ended
    return times


async def _begin(kind: Kind, port: int, request: bytes, then: bytes, times: Times) -> Client:
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: Client(kind, request, then, times), "127.0.0.1", port
    )
    return client
