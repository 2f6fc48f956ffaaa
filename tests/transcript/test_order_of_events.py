"""Claude's events are accepted in valid order only, and none of them can be mistaken for one of ours."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.claude.stream_events import EventChecker
from conversations.content.folding import fold
from conversations.errors import MalformedAnswer
from tests.malformed import AFTER_TEXT, AT_FIRST, delta
from tests.scripted import START, STOP, block, call, end, said, start, text


def admitted(*events: Any) -> list[Any]:
    checker = EventChecker()
    return [found for event in events for found in checker.admit(event)] + checker.end()


@pytest.mark.parametrize("case", sorted(AT_FIRST.keys() - {"error that is none"}))
def test_a_bad_beginning_is_refused_and_names_its_event(case: str) -> None:
    event = AT_FIRST[case]
    if event["type"] == "error":
        assert admitted(event) == [event]  # the reader of the stream raises the error
        return
    with pytest.raises(MalformedAnswer, match=event["type"]):
        admitted(event)


@pytest.mark.parametrize("case", AFTER_TEXT)
def test_a_bad_event_is_refused_after_good_ones(case: str) -> None:
    checker = EventChecker()
    good: list[Any] = [START, *text("it")[:2]]
    for event in good:
        assert checker.admit(event) == [event]
    with pytest.raises(MalformedAnswer):
        checker.admit(AFTER_TEXT[case])


@pytest.mark.parametrize("kind", ["text", "thinking", "input"])
def test_a_good_answer_passes_as_it_is(kind: str) -> None:
    events = [START, *said(kind, '{"a"', ":", "1}"), *end("end_turn")]
    assert admitted(*events) == events


def test_a_ping_adds_nothing_wherever_it_comes() -> None:
    ping = {"type": "ping"}
    assert admitted(ping, START, ping, *text("it"), ping, *end(), ping) == [START, *text("it"), *end()]


LAST: dict[str, Any] = {
    "longest id of a call": block(0, {"type": "tool_use", "id": "t" * 200, "name": "f", "input": {}}),
    "longest name of a tool": block(0, {"type": "tool_use", "id": "t", "name": "f" * 200, "input": {}}),
    "a call without an input": block(0, {"type": "tool_use", "id": "t", "name": "f"}),
    "largest index": text("x", index=2**31 - 1),
    "longest kind": block(0, {"type": "k" * 100}),
    "a result of a tool of Claude's": block(0, {"type": "web_search_tool_result", "tool_use_id": "t", "content": []}),
    "text with citations": block(0, {"type": "text", "text": "", "citations": [{"type": "char_location"}]}),
    "a citation": block(0, {"type": "text", "text": ""}, {"type": "citations_delta", "citation": {"cited_text": "x"}}),
    "a signature": block(0, {"type": "thinking", "thinking": ""}, {"type": "signature_delta", "signature": "s"}),
    "a delta of a kind not known yet": block(0, {"type": "text", "text": ""}, {"type": "mood_delta", "text": 5}),
    "a known delta of a block not known yet": block(0, {"type": "hologram"}, {"type": "text_delta", "text": "x"}),
}


@pytest.mark.parametrize("events", LAST.values(), ids=LAST)
def test_what_claude_may_send_is_let_in(events: list[Any]) -> None:
    assert admitted(START, *events) == [START, *events]


@pytest.mark.parametrize(
    "fields",
    [
        {"stop_reason": "s" * 100},
        {"stop_sequence": "s" * 10_000},
        {"stop_details": {"category": None}},
        {"container": {"id": "c"}},
        {"stop_reason": None, "stop_sequence": None, "container": None},
    ],
    ids=lambda fields: ", ".join(fields),
)
def test_the_longest_reason_to_stop_fits(fields: Any) -> None:
    ending = {"type": "message_delta", "delta": fields, "usage": None}
    assert admitted(START, ending) == [START, ending]
    begun = start(**fields)
    assert admitted(begun) == [begun]


@pytest.mark.parametrize(
    "events",
    [
        [START, *text("x"), delta({"type": "text_delta", "text": "y"})],
        [START, *text("x"), *text("y")],
        [START, text("x")[0], text("y")[0]],
        [START, *call("t", "f", "{}"), *call("t", "f", "{}", index=1)],
        [start(content=[{"type": "tool_use", "id": "t", "name": "f", "input": {}}]), *call("t", "f", "{}")],
        [text("x")[0]],
        [text("x")[2]],
        [end()[0]],
        [STOP],
    ],
    ids=[
        "a delta after its block",
        "an index after its block",
        "an index within its block",
        "an id of a call twice",
        "an id of a call as in the beginning",
        "a block before the message",
        "the end of a block before the message",
        "a reason before the message",
        "an end before the message",
    ],
)
def test_what_is_out_of_order_is_refused(events: list[Any]) -> None:
    with pytest.raises(MalformedAnswer):
        admitted(*events)


def test_another_message_goes_on_where_the_first_one_broke_off() -> None:
    """Gateways that lost Claude do so: open blocks are ended, and the new message's blocks follow."""
    again = start(id="msg_2")
    events = admitted(START, *text("one", index=3), *text("two", index=4)[:2], again, *text("three"), *end())
    assert [event.get("index") for event in events] == [None, 3, 3, 3, 4, 4, 4, 5, 5, 5, None, None]
    assert [each["text"] for each in fold(events)[0].content] == ["one", "two", "three"]
    assert fold(events)[0].envelope["id"] == "msg_1"


def test_a_third_message_goes_on_after_the_second() -> None:
    events = admitted(START, *text("one"), START, *text("two"), START, *text("three"), *end())
    assert [each["text"] for each in fold(events)[0].content] == ["one", "two", "three"]


def test_a_message_that_is_begun_twice_at_once_begins_once() -> None:
    assert admitted(START, START, *text("it"), *end()) == [START, *text("it"), *end()]


def test_an_answer_is_whole_when_its_end_has_come() -> None:
    checker = EventChecker()
    seen = []
    events: list[Any] = [START, *text("it"), *end()]
    for event in events:
        checker.admit(event)
        seen.append((checker.begun, checker.stopped))
    assert seen == [(True, False)] * 5 + [(True, True)]
