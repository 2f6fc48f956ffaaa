"""An answer that is one JSON object instead of a stream is read as the events of an equivalent stream."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversations.claude import stream_reader
from conversations.claude.stream_reader import AnswerReader
from conversations.content.folding import Folded, fold
from conversations.errors import ClaudeError, MalformedAnswer, StreamError, StreamIncomplete
from tests.scripted import START, end, text, wire

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-6",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "text", "text": "Größe 🎉", "citations": []},
        {"type": "text", "text": ""},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        {"type": "block_of_tomorrow", "light": [1]},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5},
}


def read(*chunks: bytes, media_type: str = "") -> tuple[list[Any], ClaudeError | None]:
    reader = AnswerReader("req_1", media_type)
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + reader.end(), reader.trouble


def whole() -> Folded:
    events, trouble = read(json.dumps(MESSAGE).encode())
    assert trouble is None
    [message] = fold(events)
    return message


def test_a_message_is_what_it_would_have_been_as_a_stream() -> None:
    message = whole()
    assert message.content == MESSAGE["content"]
    assert (message.stop_reason, message.stop_sequence) == ("tool_use", None)
    assert message.usage == MESSAGE["usage"]
    assert message.envelope == {"id": "msg_1", "type": "message", "model": "claude-sonnet-4-6"}
    assert message.stopped


@given(st.sampled_from(["", " ", "\n\n", "\ufeff", "\ufeff \r\n"]), st.lists(st.integers(0, 400), max_size=4))
@example("\n", [1])
@example("\ufeff", [1, 2])
@example("", [0, 0])
def test_it_is_the_same_in_chunks_of_any_size_and_after_white_space(before: str, cuts: list[int]) -> None:
    """Proxies send white space to keep a connection open while a server thinks."""
    body = (before + json.dumps(MESSAGE)).encode()
    places = [0, *sorted(cuts), len(body)]
    events, trouble = read(*(body[start:stop] for start, stop in pairwise(places)))
    assert trouble is None
    assert fold(events) == [whole()]


def test_text_and_thinking_come_as_deltas_and_all_else_as_it_is() -> None:
    events, _ = read(json.dumps(MESSAGE).encode())
    assert [event["type"] for event in events] == [
        "message_start",
        *("content_block_start", "content_block_delta", "content_block_stop") * 2,
        *("content_block_start", "content_block_stop") * 3,
        "message_delta",
        "message_stop",
    ]
    assert events[0]["message"]["content"] == []
    assert events[1]["content_block"] == {"type": "thinking", "thinking": "", "signature": "sig"}
    assert events[5]["delta"] == {"type": "text_delta", "text": "Größe 🎉"}


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}, "overloaded_error", "Busy"),
        ({"error": {"type": "rate_limit_error", "message": "Slow"}}, "rate_limit_error", "Slow"),
        ({"error": "out of order"}, "api_error", "out of order"),
        ({"type": "error", "message": "out of order"}, "api_error", "out of order"),
        ({"error": {"message": 5, "type": "two words"}}, "api_error", StreamError().message),
    ],
    ids=["Claude's", "without a type", "a string", "only a message", "nothing that can be shown"],
)
def test_an_error_is_told_though_the_status_was_200(body: Any, kind: str, message: str) -> None:
    events, trouble = read(json.dumps(body).encode())
    assert events == []
    assert isinstance(trouble, StreamError)
    assert (trouble.type, trouble.message, trouble.request_id) == (kind, message, "req_1")
    assert trouble.upstream_status == 200


def test_the_id_in_an_error_goes_before_that_of_the_response() -> None:
    error = {"type": "error", "error": {"type": "api_error", "message": "x"}, "request_id": "req_2"}
    assert getattr(read(wire(error).encode())[1], "request_id", "") == "req_2"


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"type": "message"}', b'{"type": "message", "content": "Hello"}', b'{"type": "completion"}', b'{"a": '],
)
def test_another_object_is_said_to_be_no_answer(body: bytes) -> None:
    events, trouble = read(body)
    assert events == []
    assert isinstance(trouble, MalformedAnswer)


def test_a_message_is_checked_as_a_stream_is() -> None:
    twice = [MESSAGE["content"][3]] * 2
    events, trouble = read(json.dumps({**MESSAGE, "content": twice}).encode())
    assert isinstance(trouble, MalformedAnswer)
    assert "two calls have the id t" in trouble.message
    assert [event["type"] for event in events] == ["message_start", "content_block_start", "content_block_stop"]


def test_a_page_is_said_to_be_no_stream() -> None:
    _, trouble = read(b"<html>busy</html>", media_type="text/html")
    assert isinstance(trouble, MalformedAnswer)
    assert "it is no stream of events, but text/html" in trouble.message


@pytest.mark.parametrize("media_type", ["", "text/event-stream"])
def test_an_empty_stream_is_one_that_was_cut(media_type: str) -> None:
    assert isinstance(read(media_type=media_type)[1], StreamIncomplete)
    assert isinstance(read(b": hello\n\n", media_type=media_type)[1], StreamIncomplete)


def test_a_stream_under_another_type_that_began_was_cut_as_well() -> None:
    assert isinstance(read(wire(START).encode(), media_type="text/plain")[1], StreamIncomplete)


def test_what_comes_after_the_end_is_not_read() -> None:
    events, trouble = read(wire(START, *text("it"), *end()).encode() + b"data: [DONE]\n\n")
    assert trouble is None
    assert events[-1]["type"] == "message_stop"


def test_an_event_that_was_cut_is_left_out_and_what_came_before_it_stays() -> None:
    events, trouble = read(wire(START, *text("it")).encode() + b'data: {"type": "message_del')
    assert isinstance(trouble, StreamIncomplete)
    assert fold(events)[0].content == [{"type": "text", "text": "it"}]


def test_an_object_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_reader, "LONGEST", 1000)
    reader = AnswerReader()
    assert reader.feed(b'{"text": "' + b"x" * 990) == []
    assert reader.trouble is None
    assert reader.feed(b"x") == []
    assert isinstance(reader.trouble, MalformedAnswer)
    assert "longer than 1000 bytes" in reader.trouble.message
