"""Server-sent events."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable

from django.http import StreamingHttpResponse

from conversations.follow import follow
from conversations.transcript import Batch, string_of

Encode = Callable[[Batch], str]

KEEP_ALIVE = 15.0  # seconds; proxies cut what is silent for longer
COMMENT = ": still here\n\n"


class EventStreamResponse(StreamingHttpResponse):
    """A turn's events from a position to its end."""

    def __init__(self, turn: uuid.UUID, after: int, encode: Encode) -> None:
        super().__init__(
            _encoded(turn, after, encode),
            content_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )


def as_events(batch: Batch) -> str:
    """Claude's own events with `turn` and `position`."""
    return "".join(f"id: {frame.position}\nevent: {frame.type}\ndata: {frame.data}\n\n" for frame in batch.frames)


def as_tokens(batch: Batch) -> str:
    """The plain form: text deltas, and how it ended."""
    return "".join(f"data: {json.dumps(line)}\n\n" for line in _tokens(batch))


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


async def _encoded(turn: uuid.UUID, after: int, encode: Encode) -> AsyncIterator[str]:
    async for batch in follow(turn, after, beat=KEEP_ALIVE):
        if text := COMMENT if batch is None else encode(batch):
            yield text
