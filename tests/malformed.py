"""Answers that violate Claude's API, one of each kind: for tests, and for rounds of chaos."""

from __future__ import annotations

import json
from typing import Any

from tests import scripted
from tests.scripted import START, STOP, call, end, text, wire


def begun(content_block: Any, index: Any = 1) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": content_block}


def delta(delta: Any, index: Any = 0) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


AT_FIRST: dict[str, Any] = {
    "no message": {"type": "message_start"},
    "message that is none": {"type": "message_start", "message": "hello"},
    "usage that is a list": scripted.start(usage=[1]),
    "long model": scripted.start(model="m" * 258),
    "model that is a number": scripted.start(model=4),
    "NUL in the model": scripted.start(model="claude\0"),
    "long id": scripted.start(id="i" * 300),
    "another's role": scripted.start(role="user"),
    "content that is none": scripted.start(content="hello"),
    "result in the content": scripted.start(content=[{"type": "tool_result", "tool_use_id": "x", "content": "y"}]),
    "stop before the start": STOP,
    "delta before the start": delta({"type": "text_delta", "text": "lost"}),
    "error that is a string": {"type": "error", "error": "overloaded"},
    "error that is none": {"type": "error"},
    "error of many words": {"type": "error", "error": {"type": "e" * 300, "message": 5}},
}

AFTER_TEXT: dict[str, Any] = {
    "call without id": begun({"type": "tool_use", "name": "f", "input": {}}),
    "call with an empty id": begun({"type": "tool_use", "id": "", "name": "f", "input": {}}),
    "call with a long id": begun({"type": "tool_use", "id": "t" * 300, "name": "f", "input": {}}),
    "call without name": begun({"type": "tool_use", "id": "t", "input": {}}),
    "call with an input that is no object": begun({"type": "tool_use", "id": "t", "name": "f", "input": [1]}),
    "server's call without id": begun({"type": "server_tool_use", "name": "web_search", "input": {}}),
    "server's result of no call": begun({"type": "web_search_tool_result", "content": []}),
    "text that is a number": begun({"type": "text", "text": 5}),
    "text without text": begun({"type": "text"}),
    "thinking that is none": begun({"type": "thinking", "thinking": None}),
    "redacted thinking without data": begun({"type": "redacted_thinking"}),
    "no block": {"type": "content_block_start", "index": 1},
    "block that is none": begun(None),
    "block without type": begun({"text": ""}),
    "block with a type that is none": begun({"type": ["text"]}),
    "image as a block": begun({"type": "image", "source": {"type": "attachment", "attachment": "another's"}}),
    "result as a block": begun({"type": "tool_result", "tool_use_id": "t", "content": ""}),
    "no index": {"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
    "index that is a string": begun({"type": "text", "text": ""}, index="1"),
    "index that is a truth": begun({"type": "text", "text": ""}, index=True),
    "index below zero": begun({"type": "text", "text": ""}, index=-1),
    "index that is used": begun({"type": "text", "text": ""}, index=0),
    "delta of no block": delta({"type": "text_delta", "text": "lost"}, index=7),
    "delta without index": {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "lost"}},
    "no delta": {"type": "content_block_delta", "index": 0},
    "delta that is none": delta("hello"),
    "delta without type": delta({"text": "lost"}),
    "delta without text": delta({"type": "text_delta"}),
    "delta with a text that is none": delta({"type": "text_delta", "text": ["lost"]}),
    "delta of another block": delta({"type": "input_json_delta", "partial_json": "{}"}),
    "citation that is none": delta({"type": "citations_delta", "citation": "there"}),
    "stop of no block": {"type": "content_block_stop", "index": 9},
    "message's delta that is none": {"type": "message_delta", "delta": []},
    "usage that is none": {"type": "message_delta", "delta": {}, "usage": "12"},
    "long stop reason": end(stop_reason="s" * 101)[0],
    "stop reason that is none": end(stop_reason=5)[0],  # type: ignore[arg-type]
    "NUL in the stop sequence": end(stop_sequence="\0")[0],
    "container that is none": end(container="c")[0],
    "event of ours": {"type": "turn_end", "status": "completed"},
    "frame of ours": {"type": "turn.created", "ref": 1},
    "end of an extraction": {"type": "extraction_end", "status": "succeeded"},
    "first event of ours": {"type": "turn_start", "conversation": "c"},
    "result of a tool": {"type": "tool_result", "tool_use_id": "t", "content": "forged"},
    "position": {**delta({"type": "text_delta", "text": "forged"}), "position": 10_000},
    "turn": {"type": "event_of_tomorrow", "turn": "another"},
    "type that is none": {"type": 5},
    "type of two lines": {"type": "a\ndata: {}"},
    "extreme nesting": {"type": "event_of_tomorrow", "deep": json.loads("[" * 150 + "]" * 150)},
}

NO_JSON = {
    "nonsense": "event: content_block_delta\ndata: nonsense\n\n",
    "list": "data: [1]\n\n",
    "infinity": 'data: {"type":"event_of_tomorrow","much":1e999}\n\n',
    "NaN": 'data: {"type":"event_of_tomorrow","much":NaN}\n\n',
    "no UTF-8": 'data: {"type":"event_of_tomorrow","much":"\udcff"}\n\n',
    "cut JSON": 'data: {"type":"event_of_tomorrow"\n\n',
}

CASES: dict[str, str] = {
    **{name: wire(event) for name, event in AT_FIRST.items()},
    **{name: wire(START, *text("said", index=5), *text("it")[:2], event) for name, event in AFTER_TEXT.items()},
    **{name: wire(START, *text("said", index=5), *text("it")[:2]) + raw for name, raw in NO_JSON.items()},
}
CASES["delta after the end"] = wire(
    START, *text("said", index=5), *text("it"), delta({"type": "text_delta", "text": "!"})
)
CASES["two calls of one id"] = wire(START, *text("it"), *call("t", "f", "{}", index=1), *call("t", "f", "{}", index=5))
