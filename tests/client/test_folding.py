"""The client library folds a transcript to what the server stores of it, at whatever position it reconnects."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from conversations.content.folding import fold
from conversations.content.transcript import placed, span
from tests import streams
from tests.client.runtimes import NODE, call_in_node

TWICE = '{"a": {"b": 1, "b": 2}}'
INPUTS = (
    '{"a": "\\"b\\": {,", "c": [{"d": 1}, {"d": 2}]}',
    TWICE,
    "[1]",
    "{",
    "",
    '{"a": 1} {',
    '{"\\u0061": 1, "a": 2}',
)


def called_with(text: str) -> list[Any]:
    """Return the events of an answer that calls a tool whose input is this text."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": text}
    return [
        {"type": "message_start", "message": {"role": "assistant", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": call},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_stop"},
    ]


def cut_somewhere(events: list[Any]) -> dict[str, Any]:
    """Return events with their positions, the position of a disconnect, and that from which they are sent again."""
    dice = random.Random(7)
    length = span(events)
    with_positions = [{**event, "turn": "1", "position": position} for position, event in placed(events, 0)]
    return {"events": with_positions, "left": dice.randint(0, length), "again": dice.randint(0, length)}


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_it_folds_as_the_server_does(tmp_path: Path) -> None:
    transcripts = [streams.events_in(path) for path in [*streams.WHOLE, *streams.BROKEN]]
    transcripts += [called_with(text) for text in INPUTS]
    file = tmp_path / "transcripts.json"
    file.write_text(json.dumps([cut_somewhere(events) for events in transcripts]))
    for events, (whole, resumed) in zip(transcripts, call_in_node("folding.js", "foldAll", str(file)), strict=True):
        expected = json.loads(json.dumps([shown(vars(message)) for message in fold(events)]))
        assert [shown(message) for message in whole] == expected
        assert resumed == whole


def shown(message: dict[str, Any]) -> dict[str, Any]:
    names = ("role", "content", "stop_reason", "stop_sequence", "stop_details", "usage", "stopped")
    return {name: message[name] for name in names}
