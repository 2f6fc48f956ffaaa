"""Write a turn's events as server-sent events."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable

from conversations.api.later import Stream
from conversations.content.transcript import Batch, encode, string_of
from conversations.errors import ColloquyError
from conversations.follow import follow

Form = Callable[[Batch], list[bytes]]

Follow = Callable[..., AsyncIterator[Batch | None]]

KEEP_ALIVE = 15.0  # seconds; proxies cut what is silent for longer
COMMENT = b": still here\n\n"
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
AT_ONCE = 64 * 1024  # bytes that are sent in one go


def event_stream(id: uuid.UUID, after: int, form: Form, kind: str = "turn", follow: Follow = follow) -> Stream:
    """Return a response body with a turn's events from a position to its end, in one of the forms below.

    Other kinds of work pass an iterator `follow` of their batches.
    """
    reader = _Reader(id, after, form, kind, follow)
    return Stream(reader.body(), HEADERS, reader.last_words)


class _Reader:
    """A client that reads a turn, with its position."""

    def __init__(self, id: uuid.UUID, position: int, form: Form, kind: str, follow: Follow) -> None:
        self._id = id
        self._position = position
        self._form = form
        self._kind = kind
        self._follow = follow

    async def body(self) -> AsyncGenerator[bytes, None]:
        """Yield the events, a comment after each silence, and at the end the reason if the turn has not ended."""
        try:
            async for batch in self._follow(self._id, self._position, beat=KEEP_ALIVE):
                for part in batch.in_form(self._form) if batch else (COMMENT,):
                    yield part
                self._position = batch.end if batch else self._position
        except ColloquyError as error:
            yield self.last_words(error)

    def last_words(self, error: ColloquyError) -> bytes:
        """Return the event with the reason why the stream ends early. It has no id, since there is more to resume."""
        if self._form is as_tokens:
            return f"data: {json.dumps({'error': error.message})}\n\n".encode()
        said = {"type": error.type, "message": error.message}
        event = {"type": "error", self._kind: str(self._id), "position": self._position, "error": said}
        return f"event: error\ndata: {encode(event)}\n\n".encode()


def as_events(batch: Batch) -> list[bytes]:
    """Encode a batch as Claude's own events with `turn` and `position`.

    `id` is the last line of each event: some clients (`@microsoft/fetch-event-source`) store the id as soon as its line
    has arrived, and would resume after an event that was cut before its data.
    """
    return _joined(f"event: {frame.type}\ndata: {frame.data}\nid: {frame.position}\n\n" for frame in batch.frames)


def as_tokens(batch: Batch) -> list[bytes]:
    """Encode a batch in the plain form: pieces of text, and how the turn ended."""
    return _joined(f"data: {json.dumps(line)}\n\n" for line in _tokens(batch))


def _joined(texts: Iterable[str]) -> list[bytes]:
    """Join the texts into as few parts as possible, none of them much longer than `AT_ONCE`."""
    parts: list[bytes] = []
    room = 0
    for text in texts:
        part = text.encode()
        if len(part) <= room:
            parts[-1] += part
        else:
            parts.append(part)
            room = AT_ONCE
        room -= len(part)
    return parts


def _tokens(batch: Batch) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for event in batch.events:
        if string_of(event) and event["delta"]["type"] == "text_delta":
            lines.append({"token": event["delta"]["text"]})
        elif event["type"] == "error":
            lines.append({"error": event["error"]["message"]})
        elif batch.last and event is batch.events[-1] and event["status"] != "failed":
            lines.append({"done": True})
    return lines
