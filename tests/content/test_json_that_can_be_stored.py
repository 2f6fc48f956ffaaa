"""JSON from outside that could not be stored or written again is refused, and its complaint says where it is."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.content.json_checks import INTEGER_LIMIT, PATH_LIMIT, check_depth, check_text
from conversations.errors import InvalidRequest
from conversations.exact_json import DEPTH_LIMIT

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_LIMIT, INTEGER_LIMIT - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)


def nested(depth: int, inner: object = 0) -> Any:
    """Return a value inside of so many lists."""
    for _ in range(depth):
        inner = [inner]
    return inner


@given(values)
def test_what_postgres_and_json_take_is_taken(value: object) -> None:
    check_text(value, "value")
    assert json.loads(json.dumps(value, allow_nan=False).encode()) == value


def test_the_largest_and_the_smallest_integer_fit() -> None:
    check_text([INTEGER_LIMIT - 1, -INTEGER_LIMIT, True], "value")


FLAWS: dict[str, tuple[object, str]] = {
    "NUL": ("a\0b", "NUL or half surrogate pairs"),
    "the first half of a pair": ("\ud83d", "NUL or half surrogate pairs"),
    "the second half of a pair": ("a\udc00", "NUL or half surrogate pairs"),
    "a key with NUL": ({"a\0": 1}, "Keys must not contain NUL"),
    "a key with half a pair": ({"\ud800": 1}, "Keys must not contain NUL"),
    "the first integer too large": (INTEGER_LIMIT, "64 bits"),
    "the first integer too small": (-INTEGER_LIMIT - 1, "64 bits"),
    "infinity": (math.inf, "finite"),
    "minus infinity": (-math.inf, "finite"),
    "no number": (math.nan, "finite"),
    "one level too deep": (nested(DEPTH_LIMIT + 1), "100 deep"),
    "one level too deep, of objects": (nested(DEPTH_LIMIT, {"a": 0}), "100 deep"),
}


@pytest.mark.parametrize(("value", "complaint"), FLAWS.values(), ids=FLAWS)
@pytest.mark.parametrize(
    ("around", "place"),
    [(lambda flaw: {"b": flaw}, "p.b"), (lambda flaw: [0, {"c": [flaw]}], "p.1.c.0")],
    ids=["in an object", "in a list"],
)
def test_a_flaw_is_found_wherever_it_is(value: object, complaint: str, around: Any, place: str) -> None:
    with pytest.raises(InvalidRequest, match=complaint) as refused:
        check_text(around(value), "p")
    [found] = refused.value.details or {}
    assert found.startswith(place)


def test_a_flaw_of_the_whole_is_said_of_the_whole() -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_text("\0", "title")
    assert refused.value.details == {"title": "Must not contain NUL or half surrogate pairs."}
    with pytest.raises(InvalidRequest) as refused:
        check_text(["\0"], "")
    assert list(refused.value.details or {}) == ["0"]


def test_a_place_is_not_told_at_any_length() -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_text({"k" * 10_000: "\0"}, "p")
    [place] = refused.value.details or {}
    assert len(place) == PATH_LIMIT


@pytest.mark.parametrize("check", [check_text, check_depth])
def test_a_hundred_levels_are_taken_and_no_more(check: Any) -> None:
    check(nested(DEPTH_LIMIT), "p")
    with pytest.raises(InvalidRequest, match="100 deep"):
        check(nested(DEPTH_LIMIT + 1), "p")
    with pytest.raises(InvalidRequest, match="100 deep"):
        check(nested(DEPTH_LIMIT // 2, {"a": nested(DEPTH_LIMIT // 2)}), "p")


def test_only_the_depth_of_what_claude_said_is_checked() -> None:
    check_depth({"text": "\0\ud800", "number": INTEGER_LIMIT, "list": [math.inf]}, "p")
