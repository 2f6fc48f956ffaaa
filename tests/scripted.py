"""Upstream answers that a test defines byte for byte: prompts for the sandbox, and the events in the answers.

api.begin(scripted.prompt(wire(START, *text("Hello")), 0.5, "data: nonsense\\n\\n"))
"""

from __future__ import annotations

import json
from typing import Any

Event = dict[str, Any]

USAGE = {"input_tokens": 12, "output_tokens": 1}
STOP: Event = {"type": "message_stop"}


def start(**fields: Any) -> Event:
    """Return a message_start event, with these fields of its message changed."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6", "content": []}
    return {"type": "message_start", "message": {**message, "usage": USAGE, **fields}}


START = start()


def block(index: int, content_block: Event, *deltas: Event) -> list[Event]:
    """Return the events of a content block, from start to stop."""
    return [
        {"type": "content_block_start", "index": index, "content_block": content_block},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


DELTAS: dict[str, tuple[dict[str, Any], str, str]] = {
    "text": ({"type": "text", "text": ""}, "text_delta", "text"),
    "thinking": ({"type": "thinking", "thinking": "", "signature": ""}, "thinking_delta", "thinking"),
    "input": ({"type": "tool_use", "id": "t", "name": "f", "input": {}}, "input_json_delta", "partial_json"),
}


def said(kind: str, *pieces: str, index: int = 0) -> list[Event]:
    """Return the events of a block of text, thinking or tool input."""
    begun, delta, key = DELTAS[kind]
    return block(index, begun, *({"type": delta, key: piece} for piece in pieces))


def text(*pieces: str, index: int = 0) -> list[Event]:
    """Return the events of a text block."""
    return said("text", *pieces, index=index)


def call(id: str, name: str, *pieces: str, index: int = 0) -> list[Event]:
    """Return the events of a tool_use block, with its input as pieces of JSON text."""
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block(index, {"type": "tool_use", "id": id, "name": name, "input": {}}, *deltas)


def end(stop_reason: str | None = "end_turn", usage: Any = None, **fields: Any) -> list[Event]:
    """Return the last events of an answer."""
    usage = {"output_tokens": 5} if usage is None else usage
    return [{"type": "message_delta", "delta": {"stop_reason": stop_reason, **fields}, "usage": usage}, STOP]


def wire(*events: Event, newline: str = "\n", named: bool = True) -> str:
    """Encode events as server-sent events."""
    name = f"event: {{}}{newline}" if named else ""
    return "".join(f"{name.format(each.get('type'))}data: {json.dumps(each)}{newline}{newline}" for each in events)


def prompt(*parts: str | float | None, then: str = "", content_type: str = "") -> str:
    """Return a prompt to which the sandbox answers with these parts: text, seconds of silence, None for a cut.

    `then` has the sandbox's directives for its answer after tool results.
    """
    kind = f"content_type={content_type}; " if content_type else ""
    return f"[[sandbox: {kind}raw={json.dumps(parts)}{then and f'; then; {then}'}]]"
