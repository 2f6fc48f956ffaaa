"""The JSON of an answer, wherever in it Claude put it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.asking import Answered, json_in, request_for

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
CONTAINERS = st.lists(VALUES, max_size=4) | st.dictionaries(TEXTS, VALUES, max_size=4)
PROSE = st.text(st.characters(categories=["L", "P", "Zs"], exclude_characters="[{`"), max_size=40)


@given(VALUES, st.sampled_from([None, 2]))
def test_it_finds_json_that_stands_alone(value: Any, indent: int | None) -> None:
    assert json_in(f"\n{json.dumps(value, indent=indent)} ") == value


@given(CONTAINERS, PROSE, PROSE)
def test_it_finds_json_in_the_middle_of_prose(value: Any, before: str, after: str) -> None:
    assert json_in(f"Here: {before} {json.dumps(value)} {after} there.") == value


@given(VALUES, PROSE)
def test_it_finds_json_in_a_fence(value: Any, before: str) -> None:
    assert json_in(f"So: {before}\n```json\n{json.dumps(value)}\n```\nThat is all.") == value


def test_it_passes_over_braces_that_are_not_json() -> None:
    assert json_in('The set {a, b} gives {"a": 1}.') == {"a": 1}


@pytest.mark.parametrize(
    "text", ["", "No.", "{", '{"a": ', "[1, 2", "NaN", '{"a": NaN}', '{"a": Infinity}', "[" * 5000]
)
def test_text_without_json_is_said_to_be_so(text: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_in(text)


CONTENT = [{"type": "text", "text": "Jane"}]
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}


def test_a_schema_that_claude_is_held_to_is_not_told_in_words_too() -> None:
    body = request_for(model="m", max_tokens=9, schema=SCHEMA, native={"type": "object"}, content=CONTENT)
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    assert json.dumps(SCHEMA) not in body["system"]


def test_another_attempt_says_what_was_wrong_and_leaves_the_last_word_to_claude() -> None:
    earlier = [Answered([{"type": "text", "text": "{}"}], [{"path": "/name", "message": "is missing"}])]
    body = request_for(model="m", max_tokens=9, schema=SCHEMA, native=None, content=CONTENT, earlier=earlier)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert "/name: is missing" in body["messages"][-1]["content"]
    assert json.dumps(SCHEMA) in body["system"]
