"""Decoding server-sent events, in chunks of any size. Pure.

The SDK's own decoder costs more than all other processing of a delta; this one splits the stream at blank lines.
"""

from __future__ import annotations

from typing import NamedTuple

from conversations.errors import MalformedAnswer

BOM = b"\xef\xbb\xbf"
LONGEST = 64 * 1024 * 1024
"""The maximal number of bytes of an event; Claude's largest are results of its own tools, with a document."""


class ServerSentEvent(NamedTuple):
    """A complete event. The default of its name is "message", as in the standard."""

    name: bytes
    data: bytes


class Decoder:
    """Splits an event stream of any dialect into complete events.

    Lines end by LF, CR or both, and the stream may begin with a byte order mark. Text without a blank line after it is
    not an event.
    """

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        """The chunks of an unfinished event; joining them at each chunk would take quadratic time."""
        self._size = 0
        self._after_return = False
        """Whether a carriage return came last: a newline that comes next belongs to it."""
        self._first = True

    def take(self, chunk: bytes) -> bytes:
        """Return the events that end in this chunk, with LF as line end, for `events_in`.

        Raises MalformedAnswer where one is too long to be any.
        """
        if not chunk:
            return b""  # it is not what comes after a carriage return
        if self._after_return or b"\r" in chunk:
            chunk = self._with_newlines(chunk)
        if not chunk:
            return b""
        ended = b"\n\n" in chunk or (chunk.startswith(b"\n") and bool(self._rest) and self._rest[-1].endswith(b"\n"))
        self._rest.append(chunk)
        self._size += len(chunk)
        if not ended:
            if self._size > LONGEST:
                raise MalformedAnswer(f"an event is longer than {LONGEST} bytes")
            return b""
        whole, end, rest = b"".join(self._rest).rpartition(b"\n\n")
        self._rest, self._size = [rest] if rest else [], len(rest)
        if self._first:
            whole, self._first = whole.removeprefix(BOM), False
        return whole + end

    def end(self) -> list[ServerSentEvent]:
        """Return the last event, if the stream ended without the blank line after it."""
        event, self._rest = _event(b"".join(self._rest)), []
        return [event] if event else []

    def _with_newlines(self, chunk: bytes) -> bytes:
        if self._after_return:
            chunk = chunk.removeprefix(b"\n")
        self._after_return = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def events_in(whole: bytes) -> list[ServerSentEvent]:
    """Yield the events in a result of `take`."""
    return [event for block in whole.split(b"\n\n") if (event := _event(block)) is not None]


def _event(block: bytes) -> ServerSentEvent | None:
    name, data = b"", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return ServerSentEvent(name or b"message", b"\n".join(data)) if any(data) else None
