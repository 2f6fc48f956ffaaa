"""Periods that are asked for by one click, those before them, and the addresses that they have."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from itertools import pairwise
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.admin.review.presets import MONTHS, PERIODS, after, presets_for
from conversations.admin.review.scope import NOTHING, Scope, as_id
from conversations.models import Usage

days = st.dates(date(2000, 2, 1), date(2099, 12, 31))
DAY = timedelta(days=1)


def scope(first: str, last: str, **more: object) -> Scope:
    return Scope(date.fromisoformat(first), date.fromisoformat(last)).within(**more)


ON_A_DAY = [
    ("2026-03-31", "today", "2026-03-31", "2026-03-31"),
    ("2026-03-03", "7-days", "2026-02-25", "2026-03-03"),
    ("2026-03-31", "this-month", "2026-03-01", "2026-03-31"),
    ("2026-03-01", "this-month", "2026-03-01", "2026-03-01"),
    ("2026-03-31", "last-month", "2026-02-01", "2026-02-28"),
    ("2024-03-01", "last-month", "2024-02-01", "2024-02-29"),
    ("2026-01-15", "last-month", "2025-12-01", "2025-12-31"),
    ("2026-03-01", "30-days", "2026-01-31", "2026-03-01"),
]


@pytest.mark.parametrize(("today", "name", "first", "last"), ON_A_DAY)
def test_a_period_that_moves_on(today: str, name: str, first: str, last: str) -> None:
    assert PERIODS[name].of(date.fromisoformat(today)) == (date.fromisoformat(first), date.fromisoformat(last))


@given(days)
def test_months_follow_each_other(day: date) -> None:
    first = day.replace(day=1)
    assert after(first) > day
    assert (after(first) - DAY).month == first.month
    assert PERIODS["last-month"].of(after(first))[0] == first


def test_one_can_choose_a_year_of_months_and_what_is_shown_is_marked() -> None:
    found = presets_for(scope("2026-01-01", "2026-01-01"))
    assert [each.name for each in found[:4]] == ["Today", "Last 7 days", "This month", "Last month"]
    assert len(found) == 4 + MONTHS - 2
    months = [each.since for each in found[3:]]
    assert all(after(earlier) == later for later, earlier in pairwise(months))
    assert all(each.until == after(each.since) - DAY for each in found[3:])
    today, week, *_ = presets_for(Scope(found[1].since, found[1].until))
    assert (today.chosen, week.chosen) == (False, True)
    narrow = presets_for(Scope(found[1].since, found[1].until, day=found[1].until))
    assert [each.chosen for each in narrow[:2]] == [True, False], "one day of a week is what is shown"
    assert all("day=" not in each.query for each in narrow)


BEFORE = [
    ("2026-01-01", "2026-01-31", "2025-12-01", "2025-12-31"),
    ("2026-03-01", "2026-04-01", "2026-01-28", "2026-02-28"),
    ("2026-03-01", "2027-03-10", "2025-02-19", "2026-02-28"),
]


@pytest.mark.parametrize(("first", "last", "since", "until"), BEFORE)
def test_only_days_of_one_month_are_held_against_those_of_a_month(
    first: str, last: str, since: str, until: str
) -> None:
    found = scope(first, last).before
    assert (found.since.isoformat(), found.until.isoformat()) == (since, until)


@given(days, st.integers(0, 400))
def test_the_period_before_ends_before_it(first: date, length: int) -> None:
    shown = Scope(first, first + timedelta(days=length))
    assert shown.before.until < shown.since
    assert shown.before.since <= shown.before.until
    if first.day > 1:
        assert len(shown.before.days) == len(shown.days)
        assert shown.before.until == first - DAY


@given(days, st.integers(0, 60), st.integers(0, 60))
def test_a_day_of_a_period_is_all_of_it(first: date, length: int, at: int) -> None:
    day = first + timedelta(days=at)
    shown = Scope(first, first + timedelta(days=length), day=day)
    assert (shown.days, shown.span) == ([day], (day, day))
    assert shown.before.span == (day - DAY, day - DAY)
    assert shown.shifted(3 * DAY).days == [day - 3 * DAY]


ID = uuid.UUID("01a208ce-7785-7206-a202-3517d745131f")
QUERIES = [
    ({}, {"from": ["2026-03-01"], "to": ["2026-03-31"]}),
    ({"day": date(2026, 3, 2), "user": ID}, {"day": ["2026-03-02"], "user": [str(ID)]}),
    (
        {"model": "a&b", "source": "provider", "purpose": "title"},
        {"model": ["a&b"], "source": ["provider"], "purpose": ["title"]},
    ),
    (
        {"error": "any", "conversation": NOTHING, "turn": ID},
        {"error": ["any"], "conversation": ["none"], "turn": [str(ID)]},
    ),
]


@pytest.mark.parametrize(("more", "expected"), QUERIES, ids=str)
def test_an_address_has_what_is_filtered_by_and_nothing_else(
    more: dict[str, object], expected: dict[str, object]
) -> None:
    period = {"from": ["2026-03-01"], "to": ["2026-03-31"]}
    assert parse_qs(scope("2026-03-01", "2026-03-31", **more).query) == {**period, **expected}


WHERE = [
    ({}, {"daily": True, "by_conversation": "conversations_dailyconversation"}),
    ({"conversation": ID}, {"daily": False, "by_conversation": "conversations_dailyconversation"}),
    ({"conversation": ID, "error": "any"}, {"daily": False, "by_conversation": "conversations_usage"}),
    ({"turn": ID}, {"daily": False, "by_conversation": "conversations_usage"}),
    ({"turn": NOTHING}, {"daily": False, "by_conversation": "conversations_usage"}),
    ({"error": "any"}, {"daily": True, "by_conversation": "conversations_usage"}),
]


@pytest.mark.parametrize(("more", "tables"), WHERE, ids=str)
def test_sums_are_read_from_the_smallest_table_that_has_them(
    more: dict[str, object], tables: dict[str, object]
) -> None:
    shown = scope("2026-03-01", "2026-03-31", **more)
    summed = shown.summable().model._meta.db_table
    assert (summed == "conversations_dailyusage") == tables["daily"]
    assert shown.by_conversation().model._meta.db_table == tables["by_conversation"]


def test_the_days_are_those_of_utc() -> None:
    sql, parameters = scope("2026-03-01", "2026-03-31").rows().query.sql_with_params()
    assert '"created_at" >= %s' in sql
    assert '"created_at" < %s' in sql
    assert [str(each) for each in parameters] == ["2026-03-01 00:00:00+00:00", "2026-04-01 00:00:00+00:00"]
    assert Usage._meta.db_table in sql


@pytest.mark.parametrize(("text", "id"), [(str(ID), ID), (ID.hex.upper(), ID), ("", None), ("7", None), ("none", None)])
def test_an_id_is_read_or_is_none(text: str, id: uuid.UUID | None) -> None:
    assert as_id(text) == id
