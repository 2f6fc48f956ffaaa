"""Recorded streams: our own, and those of other projects if they are present.

Ours are in `tests/recordings`, whose README describes each one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from conversations.claude.stream_reader import AnswerReader

OURS = Path(__file__).resolve().parent / "recordings"
OTHERS = Path(__file__).resolve().parents[2] / "shared" / "streams"
WHOLE = [*sorted(OURS.glob("*.sse")), *sorted(OTHERS.glob("*.sse"))]
BROKEN = [*sorted((OURS / "broken").glob("*.sse")), *sorted((OTHERS / "broken").glob("*.sse"))]


def events_in(path: Path) -> list[Any]:
    """Return the events of a recording, as a transcript stores them."""
    reader = AnswerReader()
    return reader.feed(path.read_bytes()) + reader.end()


def answered(usage: Any, model: str = "claude-sonnet-4-6") -> bytes:
    """Return the stream of an answer "Hello" with this usage, all of it in message_start."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [], "usage": usage}
    events: list[Any] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {}},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def stops(path: Path) -> bool:
    """Return whether the recording has a complete message_stop, with or without an empty line after it."""
    return re.search(rb'"message_stop"\s*}', path.read_bytes()) is not None


def ids(paths: list[Path]) -> list[str]:
    """Return the names of the recordings, as ids of parametrized tests."""
    return [path.stem for path in paths]
