"""The maximal cost of a request in tokens, and the beginning of a budget's period."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.api.serializers import SettingsSerializer
from conversations.claude import catalogue
from conversations.claude.fitting import most_tokens
from conversations.models import Budget
from conversations.services.billing.budgets import frees_at, period_of
from conversations.services.turns.cost_bounds import OVERHEAD, RESULTS, USES, Bound, bound_of_request
from conversations.services.turns.turn_settings import NAMES, resolved_settings

NOW = datetime(2026, 11, 29, tzinfo=UTC)
SEARCH = {"type": "web_search_20260318", "name": "web_search"}
FETCH = {"type": "web_fetch_20260318", "name": "web_fetch"}
CODE = {"type": "code_execution_20260120", "name": "code_execution"}


def request(*tools: Any, model: str = "claude-sonnet-4-6", **fields: Any) -> Any:
    return {"model": model, "messages": [{"role": "user", "content": "Hello"}], "tools": [*tools], **fields}


def bound(*tools: Any, known: int = 0, **fields: Any) -> Bound:
    return bound_of_request(request(*tools, **fields), known, NOW)


@pytest.mark.parametrize(
    ("tool", "results", "searches"),
    [
        ({"name": "own", "input_schema": {"type": "object"}}, 0, 0),
        ({"name": "web_search_of_mine", "max_uses": 5}, 0, 0),
        (SEARCH, USES * RESULTS["web_search_"], USES),
        ({**SEARCH, "max_uses": None}, USES * RESULTS["web_search_"], USES),
        ({**SEARCH, "max_uses": 2}, 2 * RESULTS["web_search_"], 2),
        ({**FETCH, "max_uses": 2}, 2 * RESULTS["web_fetch_"], 0),
        ({**FETCH, "max_uses": 3, "max_content_tokens": 700}, 3 * 700, 0),
        ({**CODE, "max_uses": 1}, RESULTS["code_execution_"], 0),
    ],
)
def test_what_a_tool_of_claudes_can_bring_is_input(tool: Any, results: int, searches: int) -> None:
    found = bound(tool)
    assert found.input_tokens == most_tokens(request(tool)) + OVERHEAD + results
    assert found.searches == searches


def test_searches_of_several_tools_add_up() -> None:
    assert bound({**SEARCH, "max_uses": 2}, {**SEARCH, "max_uses": 3}, FETCH).searches == 5


def test_what_is_counted_already_is_added() -> None:
    assert bound(known=5000).input_tokens == bound().input_tokens + 5000


def test_no_more_results_are_read_than_the_window_holds() -> None:
    window = catalogue.find("claude-sonnet-4-6").context_window  # type: ignore[union-attr]
    many = {**FETCH, "max_uses": 1000}
    assert bound(many).input_tokens == window
    assert bound(many, model="llama").input_tokens > 1000 * RESULTS["web_fetch_"]
    # The request's own input is never cut to the window: such a request is refused or paid for.
    assert bound(many, known=2 * window).input_tokens == 2 * window + most_tokens(request(many)) + OVERHEAD
    assert bound(known=2 * window).input_tokens > 2 * window


@pytest.mark.parametrize(
    ("fields", "for_an_hour"),
    [
        ({}, False),
        ({"cache_control": {"type": "ephemeral"}}, False),
        ({"cache_control": {"type": "ephemeral", "ttl": "5m"}}, False),
        ({"cache_control": {"type": "ephemeral", "ttl": "1h"}}, True),
        ({"system": [{"type": "text", "text": "x", "cache_control": {"ttl": "1h"}}]}, True),
        ({"tools": [{"name": "f", "cache_control": {"ttl": "1h"}}]}, True),
        ({"messages": [{"role": "user", "content": [{"content": [{"cache_control": {"ttl": "1h"}}]}]}]}, True),
        ({"system": "1h", "messages": [{"role": "user", "content": [{"cache_control": "1h"}]}]}, False),
    ],
)
def test_a_mark_for_an_hour_anywhere_makes_it_dearer(fields: Any, for_an_hour: bool) -> None:
    assert bound(**fields).for_an_hour is for_an_hour


def test_a_bound_is_under_the_prices_of_its_time_and_its_model() -> None:
    found = bound(model="claude-opus-5")
    assert (found.model, found.at) == ("claude-opus-5", NOW)


def budget(period: str) -> Budget:
    return Budget(period=period)


moments = st.datetimes(
    datetime(2000, 1, 2), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=13))])
)


@given(st.sampled_from(["day", "month"]), moments)
def test_a_moment_is_in_its_period_and_before_the_next_one(period: str, moment: datetime) -> None:
    """In UTC, whatever the user's time zone is."""
    begins, frees = period_of(budget(period), moment), frees_at(budget(period), moment)
    assert datetime(begins.year, begins.month, begins.day, tzinfo=UTC) <= moment < frees
    assert period_of(budget(period), frees) == frees.date()
    assert period_of(budget(period), frees - timedelta(microseconds=1)) == begins
    days = 1 if period == "day" else calendar.monthrange(begins.year, begins.month)[1]
    assert frees.date() - begins == timedelta(days=days)
    assert begins.day == 1 or period == "day"


@pytest.mark.parametrize(
    ("period", "moment", "begins", "frees"),
    [
        ("day", "2026-12-31T23:59:59+00:00", date(2026, 12, 31), "2027-01-01"),
        ("day", "2027-01-01T00:30:00+01:00", date(2026, 12, 31), "2027-01-01"),
        ("month", "2026-12-31T23:59:59+00:00", date(2026, 12, 1), "2027-01-01"),
        ("month", "2028-02-29T12:00:00+00:00", date(2028, 2, 1), "2028-03-01"),
        ("month", "2026-01-01T00:00:00+00:00", date(2026, 1, 1), "2026-02-01"),
    ],
)
def test_a_period_ends_at_midnight_of_utc(period: str, moment: str, begins: date, frees: str) -> None:
    at = datetime.fromisoformat(moment)
    assert period_of(budget(period), at) == begins
    assert frees_at(budget(period), at) == datetime.fromisoformat(f"{frees}T00:00:00+00:00")


def test_later_settings_hold_and_a_null_takes_one_away(settings: Any) -> None:
    settings.COLLOQUY_DEFAULT_MODEL, settings.COLLOQUY_DEFAULT_MAX_TOKENS = "claude-haiku-4-5", 99
    assert resolved_settings() == {"model": "claude-haiku-4-5", "max_tokens": 99}
    conversation = {"model": "claude-opus-5", "system": "Be brief.", "temperature": 0}
    assert resolved_settings(conversation) == {**conversation, "max_tokens": 99}
    turn = {"model": None, "system": None, "max_tokens": 5}
    assert resolved_settings(conversation, turn) == {"model": "claude-haiku-4-5", "max_tokens": 5, "temperature": 0}
    assert resolved_settings({}, {"stop_sequences": []}, {})["stop_sequences"] == []


def test_the_settings_have_names_that_a_conversation_has_too() -> None:
    assert {*NAMES} == SettingsSerializer().fields.keys()
