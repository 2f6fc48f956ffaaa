"""While Claude writes, the partial data of all answers together is reported, and only grows."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.extracting.partial_data import LARGEST, PartialData


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Provide a clock that stands still until a test changes its value, in seconds."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def after(*texts: str) -> Any:
    """Return the partial data after answers about one part each have begun with these texts."""
    partial = PartialData()
    for number, text in enumerate(texts):
        partial.begin((number, 0), text)
    return partial.news()


CUT: dict[str, Any] = {
    '{"a": 1, "b": "wor': {"a": 1, "b": "wor"},
    '{"a": [1, 2, {"b"': {"a": [1, 2, {}]},
    'Here it is: ```json\n{"a": true': {"a": True},
    "[1, 2": [1, 2],
    '{"data": {"a": 1}, "evidence": [{"path"': {"a": 1},
    '{"data": {"a": 1': {"a": 1},
    '{"data": {"a": 1}, "total": 2': {"data": {"a": 1}, "total": 2},
    '{"evidence": [': {"evidence": []},
    "No JSON yet": None,
    "": None,
    '{"a": nothing': None,
}


@pytest.mark.parametrize("text", CUT)
def test_what_there_is_of_an_answer(text: str) -> None:
    assert after(text) == CUT[text]


TOGETHER: list[tuple[list[str], Any]] = [
    (['{"a": 1, "b": [1]', '{"b": [2], "c": 3}'], {"a": 1, "b": [1, 2], "c": 3}),
    (['{"a": {"b": 1', '{"a": {"b": 2, "c": 3}}'], {"a": {"b": 1, "c": 3}}),
    (['{"a": null', '{"a": 5}'], {"a": 5}),
    (['{"a": 1', '{"a": [2]}'], {"a": 1}),
    (["[1", "[2"], [1, 2]),
    (["nothing yet", '{"a": 1'], {"a": 1}),
]


@pytest.mark.parametrize(("texts", "data"), TOGETHER, ids=str)
def test_answers_about_several_parts_are_told_together(texts: list[str], data: Any) -> None:
    """What was found first stays, and lists are concatenated."""
    assert after(*texts) == data


def test_parts_are_in_their_order_whichever_is_answered_first() -> None:
    partial = PartialData()
    partial.begin((1, 0), "[3]")
    partial.begin((0, 1), "[2]")
    partial.begin((0, 0), "[1]")
    assert partial.news() == [1, 2, 3]


def test_nothing_is_told_twice() -> None:
    partial = PartialData()
    partial.begin((0, 0), '{"a": 1')
    assert partial.news() == {"a": 1}
    assert partial.news() is None


def test_it_looks_when_there_is_more_and_not_too_often(clock: list[float]) -> None:
    partial = PartialData()
    partial.begin((0, 0), "")
    assert partial.add((0, 0), '{"a": "' + "x" * 93) == {"a": "x" * 93}
    assert partial.add((0, 0), "x" * 6) is None, "no time has passed"
    clock[0] += 0.2
    assert partial.add((0, 0), "y") == {"a": "x" * 99 + "y"}
    clock[0] += 5
    assert partial.add((0, 0), "z") is None, "less than a twentieth more"


def test_a_long_answer_is_not_looked_at_for_it_would_hold_up_others(clock: list[float]) -> None:
    partial = PartialData()
    partial.begin((0, 0), '["')
    clock[0] += 1
    assert partial.add((0, 0), "x" * (LARGEST - 2)) is not None
    clock[0] += 1
    assert partial.add((0, 0), "x" * LARGEST) is None
    assert partial.news() is None


def test_an_answer_that_goes_on_begins_with_what_was_said(clock: list[float]) -> None:
    partial = PartialData()
    partial.begin((0, 0), '{"a": [1, ')
    assert partial.add((0, 0), "2, 3") == {"a": [1, 2, 3]}


values = st.recursive(
    st.integers(0, 99) | st.text("abé", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def is_beginning(part: Any, whole: Any) -> bool:
    """Return whether data can be a partial version of other data."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and is_beginning(each, whole[key]) for key, each in part.items())
    if isinstance(whole, list) and isinstance(part, list):
        return len(part) <= len(whole) and all(map(is_beginning, part, whole))
    if isinstance(whole, str):
        return isinstance(part, str) and whole.startswith(part)
    return bool(str(whole).startswith(str(part)))  # a number whose last digits are still to come


@given(st.dictionaries(st.sampled_from("abc"), values, min_size=1), st.data())
def test_data_so_far_is_a_beginning_of_the_data_wherever_it_stops(whole: Any, drawn: st.DataObject) -> None:
    text = json.dumps(whole, ensure_ascii=False)
    found = after(text[: drawn.draw(st.integers(1, len(text)))])
    assert is_beginning(found, whole)
    assert after(text) == whole
