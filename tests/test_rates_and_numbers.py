"""Rate limits; and JSON whose numbers keep their digits."""

from __future__ import annotations

import math
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import exact_json
from conversations.rates import Rate


class Clock:
    """A clock whose seconds a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_minutes_worth_may_come_at_once_and_then_one_after_the_other(clock: Clock) -> None:
    rate = Rate(3)
    assert [rate.takes() for _ in range(5)] == [True, True, True, False, False]
    clock.now += 19.9
    assert not rate.takes()
    clock.now += 0.2
    assert [rate.takes(), rate.takes()] == [True, False]


def test_who_was_away_for_long_has_no_more_than_a_minutes_worth(clock: Clock) -> None:
    rate = Rate(3)
    clock.now += 3600
    assert [rate.takes() for _ in range(4)] == [True, True, True, False]


def test_what_was_refused_is_not_counted(clock: Clock) -> None:
    rate = Rate(1)
    assert rate.takes()
    for _ in range(10):
        assert not rate.takes()
    clock.now += 60
    assert rate.takes()


@pytest.mark.parametrize(("taken", "passed", "wait"), [(0, 0, 0), (3, 0, 20), (3, 5, 15), (2, 0, 0), (3, 20, 0)])
def test_how_long_to_wait_is_until_there_is_room_for_one(clock: Clock, taken: int, passed: float, wait: float) -> None:
    rate = Rate(3)
    for _ in range(taken):
        assert rate.takes()
    clock.now += passed
    assert rate.takes() is (wait == 0)
    if wait:
        assert rate.wait == pytest.approx(wait)


@pytest.mark.parametrize(("taken", "passed", "used"), [(0, 0, 0), (3, 0, 3), (3, 20, 2), (3, 25, 2), (3, 600, 0)])
def test_what_is_used_comes_back_with_time(clock: Clock, taken: int, passed: float, used: int) -> None:
    rate = Rate(3)
    for _ in range(taken):
        rate.takes()
    clock.now += passed
    assert rate.used == used


decimals = st.decimals(allow_nan=False, allow_infinity=False, places=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | decimals | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(values, st.booleans())
def test_what_is_written_exactly_is_read_exactly(value: Any, ascii: bool) -> None:
    text = exact_json.dumps(value, ascii=ascii)
    assert exact_json.loads(text) == value
    assert text.isascii() or not ascii
    assert exact_json.loads_at(f"[{text}]", 1) == (value, 1 + len(text))


@pytest.mark.parametrize("text", ["0.10", "12345678901234567.89", "-0.0", "1E+2"])
def test_a_number_with_a_fraction_or_an_exponent_keeps_its_digits(text: str) -> None:
    assert exact_json.dumps(exact_json.loads(text)) == text
    assert isinstance(exact_json.loads(text), Decimal)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "", "{", "[1] 2", "[" * 100_000])
def test_what_is_no_json_is_an_error_of_values(text: str) -> None:
    for repeating in (False, True):
        with pytest.raises(ValueError):
            exact_json.loads(text, repeating=repeating)


@pytest.mark.parametrize("value", [math.nan, math.inf, [Decimal("NaN")]])
def test_what_json_has_no_number_for_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError):
        exact_json.dumps(value)


def test_what_json_has_no_form_for_is_written_as_one_says() -> None:
    with pytest.raises(TypeError):
        exact_json.dumps({1, 2})
    assert exact_json.dumps([{1}], default=str) == '["{1}"]'


def test_keys_that_stand_more_than_once_are_told_where_that_is_asked_for() -> None:
    text = '{"a": 1, "b": {"c": 1, "c": 2, "c": 3, "d": 4}, "a": 2}'
    found = exact_json.loads(text, repeating=True)
    assert found == exact_json.loads(text) == {"a": 2, "b": {"c": 3, "d": 4}}
    assert found.repeated == ["a"]
    assert found["b"].repeated == ["c"]
    assert type(exact_json.loads(text)) is dict
    assert type(exact_json.loads('{"a": 1}', repeating=True)) is dict


def test_it_is_written_in_the_form_that_is_asked_for() -> None:
    value = {"b": 1, "a": "ä"}
    assert exact_json.dumps(value, separators=(",", ":"), sort_keys=True) == '{"a":"\\u00e4","b":1}'
    assert exact_json.dumps(value, ascii=False, indent=1) == '{\n "b": 1,\n "a": "ä"\n}'
