"""Fields of foreign JSON are read where they have the expected type; all others are ignored without an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.archives.loose_json import object_in, objects_in, text_in, time_in, with_whole_characters

ANYTHING: list[Any] = [None, True, 5, 1.5, "text", [], [1, {"a": 1}], {}, {"a": {"b": 1}}]

TIMES = [
    ("2026-02-14T10:04:22Z", "2026-02-14T10:04:22+00:00"),
    ("2026-02-14T10:04:22.123456+02:00", "2026-02-14T08:04:22.123456+00:00"),
    ("2026-02-14T10:04:22", "2026-02-14T10:04:22+00:00"),
    ("2026-02-14", "2026-02-14T00:00:00+00:00"),
    (1704067200, "2024-01-01T00:00:00+00:00"),
    (1704067200.25, "2024-01-01T00:00:00.250000+00:00"),
    (0, "1970-01-01T00:00:00+00:00"),
    (-1.5, "1969-12-31T23:59:58.500000+00:00"),
]
NO_TIMES = [
    "",
    "yesterday",
    "2026-02-30",
    "0001-01-01T00:00:00+05:00",
    1e30,
    float("nan"),
    float("inf"),
    True,
    None,
    [],
    {},
]


@pytest.mark.parametrize(("given_time", "expected"), TIMES)
def test_a_time_is_read_as_utc(given_time: object, expected: str) -> None:
    assert time_in({"at": given_time}, "at") == expected


@pytest.mark.parametrize("given_time", NO_TIMES, ids=str)
def test_what_is_no_time_is_none(given_time: object) -> None:
    assert time_in({"at": given_time}, "at") is None


@pytest.mark.parametrize("value", ANYTHING, ids=str)
def test_a_field_of_another_kind_is_as_good_as_none(value: Any) -> None:
    holder = {"x": value}
    assert text_in(holder, "x") == (value if isinstance(value, str) else "")
    assert object_in(holder, "x") == (value if isinstance(value, dict) else {})
    assert list(objects_in(holder, "x")) == ([each for each in value if each != 1] if isinstance(value, list) else [])


@pytest.mark.parametrize("holder", ANYTHING, ids=str)
def test_what_has_no_fields_has_none(holder: Any) -> None:
    assert (text_in(holder, "x"), dict(object_in(holder, "x")), list(objects_in(holder, "x"))) == ("", {}, [])
    assert time_in(holder, "x") is None


def test_nul_which_cannot_be_stored_is_taken_out() -> None:
    assert text_in({"x": "a\0b\0"}, "x") == "ab"


@given(st.text(st.characters(exclude_categories=[]), max_size=12), st.booleans())
def test_halves_of_characters_are_replaced_and_nothing_else_is(text: str, upper: bool) -> None:
    written = json.dumps({"text": text})
    written = written.replace("\\ud", "\\uD") if upper else written
    whole = json.loads(with_whole_characters(written.encode()))["text"]
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert whole.encode() == joined.encode()


@pytest.mark.parametrize("escaped", ['"\\\\ud83d"', '"\\\\\\\\ud83d"', '"\\"\\\\ud83d"', '"\\u0041\\n\\/"'])
def test_an_escaped_backslash_begins_no_character(escaped: str) -> None:
    assert with_whole_characters(escaped.encode()) == escaped.encode()
