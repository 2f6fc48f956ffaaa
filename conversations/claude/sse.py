"""Server-sent events as they come over the wire, in chunks of any size. Pure.

The SDK's own decoder costs more than all else that is done with a delta; this one splits at the blank lines.
"""

from __future__ import annotations

from typing import NamedTuple


class ServerSentEvent(NamedTuple):
    """An event that is whole: its name and its data, of which there may be none."""

    name: bytes
    data: bytes


class Decoder:
    """Bytes in, events out. What is not ended by a blank line is no event."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that end in this chunk."""
        rest = self._rest + chunk if self._rest else chunk
        if b"\r" in rest:
            rest = _with_newlines(rest)
        *whole, self._rest = rest.split(b"\n\n")
        return [event for block in whole if (event := _event(block)) is not None]


def _with_newlines(text: bytes) -> bytes:
    """Lines that end by a newline alone; a carriage return at the very end may be half of what ends one."""
    held = b"\r" if text.endswith(b"\r") else b""
    return text.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held


def _event(block: bytes) -> ServerSentEvent | None:
    name, data = b"", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return ServerSentEvent(name, b"\n".join(data)) if name and data else None
