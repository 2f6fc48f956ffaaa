"""Streams of other servers of the Messages API are read, or refused with a description of what they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import scripted
from tests.clients import Api, rejoined
from tests.dialects import DIALECTS, EVENTS
from tests.scripted import START, call, end, start, text, wire


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_turn_takes_a_dialect(api: Api, dialect: str) -> None:
    turn = api.ask(scripted.prompt(DIALECTS[dialect]))
    assert (turn["status"], turn["messages"][0]["content"][0]["text"]) == ("completed", "Hello 日本 🎉")


AFTERWARDS = {
    "the end of another API's stream": ("data: [DONE]\n\n",),
    "nonsense": ("data: {{{\n\n\udcff\udcfe",),
    "a cut connection": (None,),
    "an error": (wire({"type": "error", "error": {"type": "api_error", "message": "late"}}),),
    "a spoofed end": (wire({"type": "turn_end", "status": "failed"}),),
    "more text": (wire({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "!"}}),),
    "silence": (15.0,),
}


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("name", AFTERWARDS)
def test_nothing_after_message_stop_fails_a_turn(api: Api, name: str, apart: bool) -> None:
    pause = [0.05] if apart else []
    turn = api.ask(scripted.prompt(wire(*EVENTS), *pause, *AFTERWARDS[name]))
    assert (turn["status"], turn["messages"][0]["content"][0]["text"]) == ("completed", "Hello 日本 🎉")


@pytest.mark.parametrize("event", ['event: foo\ndata: {"a": 1}\n\n', 'data: {"a": 1}\n\n', "event: foo\ndata: {}\n\n"])
def test_an_event_without_a_type_is_replayed_like_any_other(api: Api, event: str) -> None:
    turn = api.ask(scripted.prompt(wire(START) + event + wire(*text("Hello"), *end())))
    assert turn["status"] == "completed"
    events = api.events(turn["id"])
    kinds = [event["type"] for event in events]
    assert kinds[2] == ("foo" if "foo" in event else "message")
    assert kinds[-1] == "turn_end"
    assert rejoined(api.events(turn["id"], after=2)) == rejoined(events)[2:]


def message(**fields: Any) -> str:
    content = [{"type": "text", "text": "Hello"}, {"type": "hologram", "light": 1}]
    usage = {"input_tokens": 12, "output_tokens": 5}
    whole = {**START["message"], "content": content, "stop_reason": "end_turn", "usage": usage}
    return json.dumps({**whole, **fields})


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream", "text/plain"])
def test_a_message_as_json_is_read(api: Api, kind: str) -> None:
    turn = api.ask(scripted.prompt(message(), content_type=kind))
    assert [each["type"] for each in turn["messages"][0]["content"]] == ["text", "hologram"]
    assert (turn["stop_reason"], turn["usage"]["output_tokens"]) == ("end_turn", 5)
    deltas = [event for event in api.events(turn["id"]) if event["type"] == "content_block_delta"]
    assert "".join(event["delta"]["text"] for event in deltas) == "Hello"


FAILED = {
    "an error as JSON": (
        ('{"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}',),
        "overloaded_error",
        "Busy",
    ),
    "another API's error as JSON": (('{"error": {"message": "No such model", "code": 404}}',), "api_error", "No such"),
    "another API's error in the stream": (
        (wire(start()) + 'data: {"error": {"message": "Boom", "type": "server_error"}}\n\n',),
        "server_error",
        "Boom",
    ),
    "an error that is named only by its line": (
        ('event: error\ndata: {"error": {"type": "overloaded_error", "message": "Busy"}}\n\n',),
        "overloaded_error",
        "Busy",
    ),
    "other JSON": (('{"choices": []}',), "api_error", "choices"),
    "cut JSON": (('{"type": "message", "content": [',), "api_error", "JSON"),
    "a message with a bad block": ((message(content=[{"type": "tool_use", "name": "f"}]),), "api_error", "id"),
    "no message": ((wire({"type": "ping"}),), "api_error", "end"),
    "nothing": ((), "api_error", "end"),
    "the end of nothing": ((wire({"type": "message_stop"}),), "api_error", "message_start"),
    "another API's end": ((wire(start()), "data: [DONE]\n\n"), "api_error", "[DONE]"),
    "an unfinished last event": ((wire(*EVENTS)[:-5],), "api_error", "end"),
}


@pytest.mark.parametrize("case", FAILED)
def test_what_is_no_answer_is_named(api: Api, case: str) -> None:
    parts, kind, word = FAILED[case]
    turn = api.ended(api.begin(scripted.prompt(*parts))["id"])
    assert (turn["status"], turn["error"]["type"]) == ("failed", kind)
    assert word in turn["error"]["message"]


def test_a_page_is_named_by_its_type(api: Api) -> None:
    turn = api.ended(api.begin(scripted.prompt("<html>Log in</html>", content_type="text/html"))["id"])
    assert (turn["status"], "text/html" in turn["error"]["message"]) == ("failed", True)


def test_two_messages_in_one_stream_are_two_parts_of_one_answer(api: Api) -> None:
    """A gateway lost Claude in the middle of an answer, and continued with a new one."""
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    first, second = call("t1", "f", '{"a": ')[:2], call("t2", "f", '{"a": 1}')
    prompt = scripted.prompt(wire(start(), *first, start(id="msg_2"), *second, *end("tool_use")))
    turn = api.ask(prompt, api.conversation(tools=tools))
    assert turn["status"] == "awaiting_tools"
    assert [each["input"] for each in turn["messages"][0]["content"]] == [{"INVALID_JSON": '{"a": '}, {"a": 1}]
