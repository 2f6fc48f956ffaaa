"""Numbers, dates and words are equal however they are written, and different ones are never taken as equal."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.evaluation.comparing import Match, compared
from extraction.evaluation.normalising import readings

amounts = st.decimals(-(10**9), 10**9, places=2, allow_nan=False)
days = st.dates(date(1970, 1, 1), date(2068, 12, 31))  # years that two digits tell


def same(one: Any, other: Any) -> bool:
    return bool(readings(one) & readings(other))


ENGLISH = "{:,.2f}"
WRITTEN = {
    "English": lambda amount: ENGLISH.format(amount),
    "German": lambda amount: ENGLISH.format(amount).translate(str.maketrans(",.", ".,")),
    "French": lambda amount: ENGLISH.format(amount).replace(",", "\u202f").replace(".", ","),
    "Swiss": lambda amount: ENGLISH.format(amount).replace(",", "\u2019"),
    "plain": lambda amount: f"{amount:f}",
    "with a sign of dollars": lambda amount: f"$ {ENGLISH.format(amount)}",
    "with a currency behind": lambda amount: f"{ENGLISH.format(amount)} EUR",
    "with a currency in front": lambda amount: f"chf {ENGLISH.format(amount)}",
    "with more zeros": lambda amount: f"{amount:f}00",
}


@given(amounts, st.sampled_from(sorted(WRITTEN)))
def test_an_amount_is_the_same_in_every_way_of_writing_it(amount: Decimal, way: str) -> None:
    assert same(amount, WRITTEN[way](amount))


@given(amounts, amounts, st.sampled_from(sorted(WRITTEN)))
def test_another_amount_is_another(one: Decimal, other: Decimal, way: str) -> None:
    assert same(one, WRITTEN[way](other)) == (one == other)


FORMS = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y"]
FORMS += ["%m/%d/%y", "%d-%m-%Y", "%d %B %Y", "%d %b %Y", "%d. %B %Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y"]
FORMS += ["%d-%b-%Y"]


@given(days, st.sampled_from(FORMS), st.sampled_from([str, str.upper, str.lower]))
def test_a_day_is_the_same_in_every_form(day: date, form: str, cased: Any) -> None:
    assert same(day.isoformat(), cased(day.strftime(form)))


@given(days, days, st.sampled_from([form for form in FORMS if "%d/%m" not in form and "%m/%d" not in form]))
def test_another_day_is_another(one: date, other: date, form: str) -> None:
    assert same(one.isoformat(), other.strftime(form)) == (one == other)


@pytest.mark.parametrize("day", ["1st March 2026", "March 1st, 2026", "1. March 2026", "Mar 1 2026", "01-Mar-2026"])
def test_ordinals_and_short_months_are_read(day: str) -> None:
    assert same("2026-03-01", day)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2068, 1, 1)))
def test_a_time_is_a_day_only_at_midnight(moment: datetime) -> None:
    is_midnight = moment.time() == datetime.min.time()
    assert same(moment.isoformat(), moment.date().isoformat()) == is_midnight
    assert same(moment.isoformat(), moment.isoformat().replace("T", " "))


SAME = [
    ("03/04/2026", "2026-03-04"),
    ("03/04/2026", "2026-04-03"),
    ("1.234", 1234),
    ("1.234", Decimal("1.234")),
    ("1,234", 1234),
    ("50%", 50),
    ("1'000", 1000),
    ("+7", 7),
    ("-0", 0),
    ("0.0", 0),
    ("1e3", "1E3"),
    (1e3, 1000),
    (1.0, 1),
    (False, "FALSE"),
    ("Straße", "STRASSE"),
    ("\uff11\uff12", 12),
    ("a\u00a0b", "a b"),
    ([1, {"b": 2, "a": 1}], [1, {"a": 1, "b": 2}]),
]
DIFFERENT = [
    ("1e3", 1000),
    ("12,34,56", 123456),
    ("1.2.3", 123),
    ("1,23.4", 123.4),
    ("--5", 5),
    ("5-", -5),
    ("-5", 5),
    ("$", 0),
    ("", 0),
    ("12 apples", 12),
    ("twelve", 12),
    ("2026-02-30", "2026-03-02"),
    ("0" * 61, 0),
    ("true", 1),
    (None, "null"),
    (None, ""),
    ("10:30", "2026-01-01T10:30:00"),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=str)
def test_these_mean_the_same(one: Any, other: Any) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=str)
def test_these_do_not(one: Any, other: Any) -> None:
    assert not same(one, other)
    assert not same(other, one)


EXACT = [
    (1, 1.0, Match.EXACT),
    (Decimal("1.10"), 1.1, Match.EXACT),
    (True, True, Match.EXACT),
    (True, 1, Match.WRONG),
    (0, False, Match.WRONG),
    (True, "True", Match.NORMALISED),
    ("1", 1, Match.NORMALISED),
    ("a", "a", Match.EXACT),
    ("a", "A", Match.NORMALISED),
    ("a", {"b": 1}, Match.WRONG),
    ([], "a", Match.WRONG),
    ("a", [], Match.WRONG),
    ({"b": 1}, "a", Match.WRONG),
    ([1], {"b": 1}, Match.WRONG),
    ({"b": 1}, [1], Match.WRONG),
]


@pytest.mark.parametrize(("expected", "actual", "match"), EXACT, ids=str)
def test_exact_is_what_is_the_same_in_json(expected: Any, actual: Any, match: Match) -> None:
    [found] = compared({"v": expected}, {"v": actual})
    assert (found.match, found.expected, found.actual) == (match, expected, actual)


@pytest.mark.parametrize(("name", "step"), [("a/b", "/a~1b"), ("a~b", "/a~0b"), ("~1", "/~01"), ("", "/")])
def test_places_are_json_pointers(name: str, step: str) -> None:
    [found] = compared({name: [{"a": 1, "b": 2}]}, {name: [{"b": 2}]})[:1]
    assert (found.field, found.path, found.place) == (f"{step}/*/a", f"{step}/0/a", f"{step}/0/a")


def test_values_that_are_only_on_one_side_are_told_one_by_one() -> None:
    found = compared({"a": {"b": 1, "c": [2, None]}}, {"d": [{"e": 3}]})
    assert [(each.field, each.place, each.match, each.expected, each.actual) for each in found] == [
        ("/a/b", "/a/b", Match.MISSING, 1, None),
        ("/a/c/*", "/a/c/0", Match.MISSING, 2, None),
        ("/d/*/e", "/d/0/e", Match.EXTRA, None, 3),
    ]


def test_the_words_of_the_api_for_a_match() -> None:
    assert [each.value for each in Match] == ["exact", "normalised", "wrong", "missing", "extra"]
