"""The benchmarks' clients: they do no more than read a stream and record when each delta was sent."""

from __future__ import annotations

import asyncio
import json
import re
import time
from array import array
from dataclasses import dataclass, field
from typing import Literal, cast

SENT = re.compile(rb"@(\d{18})")
LONGEST = 19  # bytes of the longest pattern that is searched for
PING = re.compile(rb"\x89\x04(.{4})", re.DOTALL)
"""A WebSocket ping of the server, which closes connections that do not answer it within 40 seconds."""

Kind = Literal["sse", "ws", "express", "direct"]
"""Through the platform by SSE or WebSocket, through the Express relay, or straight to the upstream."""


@dataclass
class Measured:
    """The clients' measurements. Latencies are nanoseconds since the upstream sent a delta."""

    latencies: array[int] = field(default_factory=lambda: array("q"))
    first: array[int] = field(default_factory=lambda: array("q"))
    measuring: bool = False


class Reader(asyncio.Protocol):
    """The client side of one connection."""

    def __init__(self, request: bytes, then: bytes, measured: Measured) -> None:
        self._request = request
        self._then = then
        self._measured = measured
        self._rest = b""
        self._begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not say so
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._then:  # the handshake's answer
            self._transport.write(self._then)
            self._then = b""
        now, end = time.monotonic_ns(), 0
        for ping in PING.finditer(data):
            self._transport.write(b"\x8a\x84\0\0\0\0" + ping[1])
        data = self._rest + data
        for match in SENT.finditer(data):
            end = match.end()
            latency = now - int(match[1])
            if self._measured.measuring:
                self._measured.latencies.append(latency)
            if not self._begun:
                self._begun = True
                self._measured.first.append(latency)
        self._rest = data[end:][-LONGEST:]


def requests(kind: Kind, host: str, token: str, conversation: str, content: str = "Go") -> tuple[bytes, bytes]:
    """Return the bytes that a client sends first, and those that it sends after the response to them."""
    auth = f"Host: {host}\r\nAuthorization: Bearer {token}\r\n"
    if kind == "ws":
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        frame = json.dumps({"type": "turn.create", "conversation": conversation, "content": content}).encode()
        assert 125 < len(frame) < 65536 or len(frame) <= 125
        size = bytes([0x80 | len(frame)]) if len(frame) <= 125 else b"\xfe" + len(frame).to_bytes(2, "big")
        return f"GET /ws/ HTTP/1.1\r\n{auth}{upgrade}{key}\r\n".encode(), b"\x81" + size + b"\0\0\0\0" + frame
    paths = {"express": "/ask", "direct": "/v1/messages"}
    path = paths.get(kind, f"/api/conversations/{conversation}/turns/")
    body = json.dumps({"content": content})
    kinds = "Content-Type: application/json\r\nAccept: text/event-stream\r\n"
    return f"POST {path} HTTP/1.1\r\n{auth}{kinds}Content-Length: {len(body)}\r\n\r\n{body}".encode(), b""


async def begin(kind: Kind, port: int, token: str, conversations: list[str], seconds: float) -> Measured:
    """Start a stream for each conversation, spread over `seconds`; return the measurements."""
    measured = Measured()
    loop = asyncio.get_running_loop()
    for conversation in conversations:
        request, then = requests(kind, f"127.0.0.1:{port}", token, conversation)
        await loop.create_connection(lambda r=request, t=then: Reader(r, t, measured), "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.sleep(seconds / len(conversations))
    return measured
