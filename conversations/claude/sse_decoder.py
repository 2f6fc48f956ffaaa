"""Server-sent events as they come over the wire, in chunks of any size. Pure.

The SDK's own decoder costs more than all else that is done with a delta; this one splits at the blank lines.
"""

from __future__ import annotations

from typing import NamedTuple

from conversations.errors import MalformedAnswer

BOM = b"\xef\xbb\xbf"
LONGEST = 64 * 1024 * 1024
"""Bytes of one event; the largest that Claude sends are the results of its own tools, with a document in them."""


class ServerSentEvent(NamedTuple):
    """An event that is whole. Its name is "message" where none is given, as the standard has it."""

    name: bytes
    data: bytes


class Decoder:
    """Decodes an event stream of any dialect: lines end by LF, CR or both, and a byte order mark may come first.

    What is not ended by a blank line is no event.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._after_return = False
        """Whether a carriage return came last: a newline that comes next belongs to it."""
        self._first = True

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Return the events that end in this chunk. Raises MalformedAnswer where one is too long to be any."""
        if not chunk:
            return []  # it is not what comes after a carriage return
        if self._after_return or b"\r" in chunk:
            chunk = self._with_newlines(chunk)
        *blocks, self._rest = (self._rest + chunk if self._rest else chunk).split(b"\n\n")
        if len(self._rest) > LONGEST:
            raise MalformedAnswer(f"an event is longer than {LONGEST} bytes")
        if blocks and self._first:
            blocks[0], self._first = blocks[0].removeprefix(BOM), False
        return [event for block in blocks if (event := _event(block)) is not None]

    def _with_newlines(self, chunk: bytes) -> bytes:
        if self._after_return:
            chunk = chunk.removeprefix(b"\n")
        self._after_return = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _event(block: bytes) -> ServerSentEvent | None:
    name, data = b"", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return ServerSentEvent(name or b"message", b"\n".join(data)) if any(data) else None
