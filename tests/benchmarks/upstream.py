"""A Messages API that only sends paced deltas, so cheaply that the relay dominates what is measured.

Every delta carries the time at which it was sent, by the monotonic clock that all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import cast

import uvloop

RATE = 30  # deltas a second on each stream
PHASES = 10  # into which the streams are spread, so that their deltas do not come all at once
DELTAS = RATE * 600  # length of a stream whose request names no number
NAMED = re.compile(rb"deltas=(\d+)")
"""How a request names the number of deltas, anywhere in the user's text."""

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_paced\r\ntransfer-encoding: chunked\r\n\r\n"
)


def event(type: str, **fields: object) -> bytes:
    """Return an event as an HTTP chunk of its own."""
    data = f"event: {type}\ndata: {json.dumps({'type': type, **fields})}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


MESSAGE: dict[str, object] = {
    "id": "msg_paced",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-6",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 1},
}
BEGIN = event("message_start", message=MESSAGE) + event(
    "content_block_start", index=0, content_block={"type": "text", "text": ""}
)
END = (
    event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 9})
    + event("message_stop")
    + b"0\r\n\r\n"
)


def delta() -> bytes:
    """Return a delta whose text is the present time."""
    text = f"@{time.monotonic_ns():018d}"
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


class Streams:
    """All open streams, distributed over the phases of a period."""

    def __init__(self) -> None:
        self._phases: list[dict[asyncio.Transport, int]] = [{} for _ in range(PHASES)]
        self._next = 0

    def add(self, transport: asyncio.Transport, deltas: int) -> None:
        """Start a stream of `deltas`, and send the first one at once."""
        transport.write(delta())
        self._phases[self._next % PHASES][transport] = deltas - 1
        self._next += 1

    async def pace(self) -> None:
        """Send a delta to every stream of the next phase, for ever."""
        began, tick = time.monotonic(), 0
        while True:
            tick += 1
            await asyncio.sleep(max(0.0, began + tick / (RATE * PHASES) - time.monotonic()))
            phase = self._phases[tick % PHASES]
            now = delta()
            for transport, left in list(phase.items()):
                if transport.is_closing():
                    del phase[transport]
                elif left:
                    transport.write(now)
                    phase[transport] = left - 1
                else:
                    transport.write(END)
                    del phase[transport]


class Connection(asyncio.Protocol):
    """One client's connection; any request is answered with a stream."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not say so

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        if separator and len(body) >= int(lengths[0]):
            self._received = b""
            self._transport.write(HEAD + BEGIN)
            named = NAMED.findall(body)
            self._streams.add(self._transport, int(named[-1]) if named else DELTAS)


async def serve(port: int) -> None:
    """Serve on a port for ever."""
    streams = Streams()
    await asyncio.get_running_loop().create_server(lambda: Connection(streams), "127.0.0.1", port)
    await streams.pace()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
