"""Events have lengths, are encoded unchanged, and are sent to each reader from its position."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.content.folding import UNREADABLE, fold, plain_text, unreadable_input
from conversations.content.transcript import (
    FRAME,
    Batch,
    cut,
    decoded_events,
    divided,
    encode,
    is_delta,
    joined,
    length,
    merge,
    placed,
    span,
    string_delta,
    string_of,
)
from tests import scripted
from tests.scripted import block, call, end, text

START: Any = scripted.START

CITATION: Any = {
    "type": "content_block_delta",
    "index": 0,
    "delta": {"type": "citations_delta", "citation": {"cited_text": "long"}},
}
LENGTHS: dict[str, tuple[Any, int]] = {
    "text": (string_delta(0, "text_delta", "Größe 🎉"), 7),
    "an empty text": (string_delta(0, "text_delta", ""), 0),
    "thinking": (string_delta(0, "thinking_delta", "Hm."), 3),
    "the input of a tool": (string_delta(0, "input_json_delta", '{"a'), 3),
    "a citation": (CITATION, 1),
    "a delta of a kind not known": ({**CITATION, "delta": {"type": "mood_delta", "text": "good"}}, 1),
    "a text that is none": ({**CITATION, "delta": {"type": "text_delta", "text": 5}}, 1),
    "no delta": ({"type": "content_block_delta", "index": 0, "delta": None}, 1),
    "a start": (START, 1),
    "text in another event": ({"type": "event_of_tomorrow", "delta": {"type": "text_delta", "text": "xyz"}}, 1),
    "a snapshot": ({"type": "partial", "data": {}}, 1),
    "a snapshot that stands for five": ({"type": "partial", "data": {}, "span": 5}, 5),
    "a span of another event": ({"type": "event_of_tomorrow", "span": 5}, 1),
}


@pytest.mark.parametrize(("event", "size"), LENGTHS.values(), ids=LENGTHS)
def test_an_event_is_as_long_as_its_string_or_one(event: Any, size: int) -> None:
    assert length(event) == size
    assert span([event, event]) == 2 * size


@pytest.mark.parametrize("kind", ["text_delta", "thinking_delta", "input_json_delta"])
@given(string=st.text(max_size=60), size=st.integers(1, 20))
def test_a_long_string_is_divided_into_frames_that_add_up(kind: str, string: str, size: int) -> None:
    event = string_delta(3, kind, string)
    parts = list(divided([event], size))
    assert "".join(string_of(part) or "" for part in parts) == string
    assert all(length(part) <= size for part in parts)
    assert len(parts) == max(1, -(-len(string) // size))
    assert merge(parts) == merge([event])


def test_a_frame_is_as_long_as_is_sent_in_time_and_others_stay_whole() -> None:
    events = [START, string_delta(0, "text_delta", "x" * FRAME), string_delta(1, "text_delta", "x" * (FRAME + 1))]
    assert [length(event) for event in divided(events)] == [1, FRAME, FRAME, 1]


def test_each_event_is_placed_behind_itself() -> None:
    events: Any = [START, *text("abc"), *end()]
    assert [position for position, _ in placed(events, 10)] == [11, 12, 15, 16, 17, 18]
    assert span(events) == 8


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (string_delta(0, "text_delta", "a"), string_delta(1, "text_delta", "b")),
        (string_delta(0, "text_delta", "a"), string_delta(0, "thinking_delta", "b")),
        (string_delta(0, "text_delta", "a"), {**string_delta(0, "text_delta", "b"), "more": 1}),
        (string_delta(0, "text_delta", "a"), START),
        (CITATION, CITATION),
        (START, string_delta(0, "text_delta", "b")),
    ],
    ids=["of two blocks", "of two kinds", "with more to them", "with an event between", "not of strings", "after one"],
)
def test_only_deltas_that_differ_in_their_string_alone_are_joined(left: Any, right: Any) -> None:
    assert merge([left, right]) == [left, right]


def test_empty_deltas_keep_none_apart() -> None:
    events = [string_delta(0, "text_delta", each) for each in ("", "a", "", "b", "")]
    assert merge(events) == [string_delta(0, "text_delta", "ab")]


def test_is_delta_tells_what_a_reader_sees_of_an_answer() -> None:
    assert [is_delta(event) for event in (CITATION, string_delta(0, "text_delta", "x"), START)] == [True, True, False]


@pytest.mark.parametrize(
    ("events", "last"),
    [([], False), ([START], False), ([{"type": "turn_end"}], True), ([START, {"type": "extraction_end"}], True)],
)
def test_a_batch_is_the_last_where_it_ends_the_transcript(events: Any, last: bool) -> None:
    assert Batch.of("t", 0, events).last is last


@pytest.mark.parametrize("position", [0, 2, 3, 5, 6])
def test_a_reader_gets_what_it_has_not_seen(position: int) -> None:
    batch = Batch.of("t", 2, [START, string_delta(0, "text_delta", "abc")], "extraction")
    part = batch.past(position)
    assert (part.turn, part.kind, part.end) == ("t", "extraction", 6)
    assert part.start == max(position, 2)
    assert part.events == cut(batch.events, part.start - 2)[1]


def test_batches_that_follow_each_other_are_one() -> None:
    one, two = Batch.of("t", 5, [START], "k"), Batch.of("t", 6, [string_delta(0, "text_delta", "ab")], "k")
    both = joined([one, two])
    assert (both.turn, both.kind, both.start, both.end) == ("t", "k", 5, 8)
    assert both.events == one.events + two.events
    assert joined([two]) is two


def test_a_frame_names_the_transcript_by_its_kind_and_no_span() -> None:
    [frame] = Batch.of("t", 5, [{"type": "partial", "data": {"a": 1}, "span": 3}], "extraction").frames
    assert (frame.position, frame.type) == (8, "partial")
    assert json.loads(frame.data) == {"type": "partial", "extraction": "t", "position": 8, "data": {"a": 1}}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, "ä"]}, '{"a":[1,"ä"]}'),
        (2**70, "1180591620717411303424"),
        ({"a": "\ud83d"}, '{"a":"\\ud83d"}'),
        ([Decimal("0.10"), Decimal("12345678901234567.89")], "[0.10,12345678901234567.89]"),
        ([Decimal("0.10"), 2**70, "ä"], '[0.10,1180591620717411303424,"\\u00e4"]'),
    ],
    ids=["JSON", "a long integer", "half a character", "decimals", "decimals beside long integers"],
)
def test_a_value_is_written_on_one_line_with_all_its_digits(value: object, text: str) -> None:
    assert encode(value) == text


def test_json_is_one_line_for_every_reader() -> None:
    """Clients that divide a stream by Python's `splitlines`, as httpx's `iter_lines` does, know many ends of lines."""
    text = "a\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029z"
    assert len(text.splitlines()) > 9
    assert encode({"text": text}).splitlines() == [encode({"text": text})]
    assert json.loads(encode({"text": text})) == {"text": text}


def test_what_is_no_json_is_not_written() -> None:
    with pytest.raises(TypeError):
        encode({"a": object()})


numbers = st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(numbers | st.text() | st.none() | st.booleans(), lambda inner: st.lists(inner, max_size=3))


@given(st.lists(st.dictionaries(st.text(), values, max_size=3), max_size=3))
def test_what_was_written_is_read_again_as_it_was(events: list[Any]) -> None:
    assert decoded_events(encode(events)) == events


@pytest.mark.parametrize(
    ("written", "read", "unreadable"),
    [
        ('{"a": 1}', {"a": 1}, None),
        ("", {}, None),
        ("{}", {}, None),
        ('{"a": ', {UNREADABLE: '{"a": '}, '{"a": '),
        ("[1]", {UNREADABLE: "[1]"}, "[1]"),
        ('{"a": NaN}', {UNREADABLE: '{"a": NaN}'}, '{"a": NaN}'),
        ('{"a": 1e999}', {UNREADABLE: '{"a": 1e999}'}, '{"a": 1e999}'),
        ('{"a": 1, "a": 2}', {UNREADABLE: '{"a": 1, "a": 2}'}, '{"a": 1, "a": 2}'),
    ],
)
def test_an_input_that_could_not_be_read_says_what_was_written(written: str, read: Any, unreadable: str | None) -> None:
    [message] = fold([START, *call("t", "f", written), *end()])  # type: ignore[list-item]
    [found] = message.content
    assert found["input"] == read
    assert unreadable_input(found) == unreadable


def test_an_input_beside_the_sign_for_unreadable_ones_is_an_input() -> None:
    assert unreadable_input({"type": "tool_use", "input": {UNREADABLE: "x", "a": 1}}) is None
    assert unreadable_input({"type": "tool_use"}) is None


def test_results_of_tools_are_one_message_between_two_answers() -> None:
    results: Any = [
        {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "x"}], "is_error": True},
        {"type": "tool_result", "tool_use_id": "u"},
    ]
    events: Any = [START, *call("t", "f", "{}"), *end("tool_use"), *results, START, *text("so"), *end()]
    first, between, second = fold(events)
    assert [each.role for each in (first, between, second)] == ["assistant", "user", "assistant"]
    assert between.content == results
    assert between.stopped
    assert second.content == [{"type": "text", "text": "so"}]
    results[0]["content"][0]["text"] = "changed"
    assert between.content[0]["content"] == [{"type": "text", "text": "x"}]


def test_the_plain_text_of_an_answer_is_that_of_its_text_blocks() -> None:
    content: Any = [
        {"type": "thinking", "thinking": "Hm.", "text": "no"},
        {"type": "text", "text": "One"},
        {"type": "text", "text": ""},
        {"type": "tool_use", "id": "t"},
        {"type": "text", "text": "Two"},
        {"type": "text"},
    ]
    assert plain_text(content) == "One\nTwo"
    assert plain_text([]) == ""


def test_a_delta_of_a_block_that_has_not_begun_adds_nothing() -> None:
    events: Any = [string_delta(0, "text_delta", "lost"), START, string_delta(5, "text_delta", "lost"), *end()]
    assert fold(events)[0].content == []
    assert fold([*block(0, {"type": "text", "text": "lost"})]) == []  # type: ignore[list-item]
