"""Values in Claude's stream are converted into a form that can be stored, sent on and exported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.claude.values import (
    DEPTH_LIMIT,
    MESSAGE_LIMIT,
    SHOWN,
    error_message,
    error_type,
    excerpt,
    is_whole,
    parse,
    storable,
    whole,
    whole_json,
)
from conversations.errors import MalformedAnswer

surrogates = st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF)
halves = st.text(st.one_of(st.characters(), surrogates, st.sampled_from("a🎉")), max_size=20)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, 1.5, null, true]} ', {"a": [1, 1.5, None, True]}),
        ('{"a": "Größe 🎉"}'.encode(), {"a": "Größe 🎉"}),
        (b'{"a": "\\ud83c"}', {"a": "\ud83c"}),
    ],
    ids=["nothing", "values", "characters", "half a character"],
)
def test_an_event_is_read(data: bytes, value: Any) -> None:
    assert parse(data) == value


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is not JSON"),
        (b"nonsense", "is not JSON: nonsense"),
        (b'{"a": NaN}', "is not JSON"),
        (b'{"a": Infinity}', "is not JSON"),
        (b'{"a": "\\ud83c", "b": 1e999}', "is not JSON"),
        (b'{"a": "\\ud83c", "b": NaN}', "is not JSON"),
        (b'{"a": "\xff"}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1]", "is no JSON object: [1]"),
        (b'"a"', "is no JSON object"),
        (b"null", "is no JSON object"),
    ],
)
def test_what_is_no_event_is_told_with_its_beginning(data: bytes, complaint: str) -> None:
    with pytest.raises(MalformedAnswer, match=r"an event is no") as refused:
        parse(data)
    assert complaint in refused.value.message


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b" nonsense\n", "nonsense"),
        (b"x" * SHOWN, "x" * SHOWN),
        (b"x" * (SHOWN + 1), "x" * SHOWN + "…"),
        ("🎉".encode() * 1000, "🎉" * SHOWN),
        (b"a\xffb", "a\ufffdb"),
    ],
)
def test_of_what_could_not_be_read_only_the_beginning_is_shown(data: bytes, shown: str) -> None:
    assert excerpt(data) == shown


@given(halves)
def test_text_becomes_whole_and_stays_as_it_was_where_it_is(text: str) -> None:
    found = whole(text)
    assert is_whole(found)
    assert found == text or not is_whole(text)
    assert whole(found) == found


@pytest.mark.parametrize(
    ("text", "joined", "in_json"),
    [
        ("\ud83c\udf89", "🎉", "🎉"),
        ("a\ud83c", "a\ufffd", "a\\ud83c"),
        ("\udf89b", "\ufffdb", "\\udf89b"),
        ("\udf89\ud83c", "\ufffd\ufffd", "\\udf89\\ud83c"),
        ("🎉", "🎉", "🎉"),
    ],
    ids=["both halves", "the first", "the second", "in the wrong order", "whole"],
)
def test_halves_are_joined_and_what_is_lone_is_told_by_a_sign(text: str, joined: str, in_json: str) -> None:
    """In pieces of JSON an escape stays as it was, so that the replacement is not taken for Claude's own text."""
    assert whole(text) == joined
    assert whole_json(text) == in_json


def test_a_value_becomes_whole_at_every_depth() -> None:
    value = {"\ud83c": ["\ud83c\udf89", {"a": "\udf89"}, 5, None, True, 1.5]}
    assert storable(value) == {"\ufffd": ["🎉", {"a": "\ufffd"}, 5, None, True, 1.5]}


@given(
    st.recursive(
        halves | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(halves, inner),
        max_leaves=12,
    )
)
def test_what_is_storable_can_be_encoded(value: Any) -> None:
    assert json.dumps(storable(value), ensure_ascii=False).encode()


def test_a_value_is_nested_no_deeper_than_can_be_exported() -> None:
    def nested(levels: int) -> Any:
        value: Any = "x"
        for level in range(levels):
            value = [value] if level % 2 else {"a": value}
        return value

    assert storable(nested(DEPTH_LIMIT)) == nested(DEPTH_LIMIT)
    with pytest.raises(MalformedAnswer, match="deeper than 100"):
        storable(nested(DEPTH_LIMIT + 1))


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("overloaded_error", "overloaded_error"),
        ("e" * 100, "e" * 100),
        *((odd, "api_error") for odd in ("", "e" * 101, "two words", "line\n", "größe", None, 5, ["overloaded_error"])),
    ],
)
def test_the_type_of_an_error_is_one_word(given: object, kind: str) -> None:
    assert error_type(given) == kind


@pytest.mark.parametrize(
    ("given", "message"),
    [("Busy", "Busy"), ("a\ud83c", "a\ufffd"), ("x" * 3000, "x" * MESSAGE_LIMIT), (None, ""), (5, ""), (["Busy"], "")],
)
def test_the_message_of_an_error_is_text_of_bounded_length(given: object, message: str) -> None:
    assert error_message(given) == message
