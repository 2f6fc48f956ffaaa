"""Numbers are shown beside those of the previous period, and a difference is explained by its reasons."""

from __future__ import annotations

import csv
import io
import re
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from conversations.admin.review import presets
from conversations.admin.review.scope import Scope
from conversations.models import Conversation, Usage, User
from tests.admin.pages import total

CHANGES = "/admin/conversations/usage/changes/"
REVIEW = "/admin/conversations/usage/review/"
TUESDAY = date(2026, 3, 10)
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"


def spend(user: User, day: date, cost: str, model: str = OPUS, **columns: Any) -> None:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    Usage.objects.create(
        user=user, username=user.username, model=model, source="provider", cost=Decimal(cost), created_at=at, **columns
    )


def reasons(table: str) -> list[tuple[str, str]]:
    """Return the reasons in a table of changes, each with its part of the difference."""
    return re.findall(r'class="reason">\+?<span[^>]*data-cost="([^"]+)">[^<]*</span> ([^<]+)<', table)


def new_user() -> User:
    return User.objects.create_user(f"spender-{uuid.uuid4().hex[:8]}")


def differences(page: str) -> list[tuple[str, str]]:
    """Return the model and the difference of each row of the table of changes."""
    rows = page[page.index('<table id="changes"') :]
    return re.findall(r'</a></td><td>([^<]+)</td>\s*<td class="number">\+?<span[^>]*data-cost="([^"]+)"', rows)


@pytest.mark.parametrize(
    ("since", "until", "before"),
    [
        ("2026-03-10", "2026-03-10", ("2026-03-09", "2026-03-09")),
        ("2026-03-01", "2026-03-01", ("2026-02-28", "2026-02-28")),
        ("2026-03-04", "2026-03-10", ("2026-02-25", "2026-03-03")),
        ("2026-03-01", "2026-03-31", ("2026-02-01", "2026-02-28")),
        ("2026-03-01", "2026-03-12", ("2026-02-01", "2026-02-12")),
        ("2026-03-01", "2026-03-30", ("2026-02-01", "2026-02-28")),
        ("2026-02-01", "2026-02-28", ("2026-01-01", "2026-01-31")),
        ("2026-01-01", "2026-03-31", ("2025-10-03", "2025-12-31")),
    ],
)
def test_the_period_before_is_as_long_or_the_same_days_of_the_month_before(
    since: str, until: str, before: tuple[str, str]
) -> None:
    found = Scope(date.fromisoformat(since), date.fromisoformat(until)).before.span
    assert tuple(day.isoformat() for day in found) == before


def test_numbers_stand_beside_those_of_the_period_before(staff: Client, database: str) -> None:
    user = new_user()
    for days_ago, cost in ((1, "3"), (7, "2"), (8, "1")):
        spend(user, TUESDAY - timedelta(days=days_ago), cost)
    query = f"user={user.pk}&from={TUESDAY - timedelta(days=6)}&to={TUESDAY}"
    for path in ("/admin/", REVIEW):
        page = staff.get(f"{path}?{query}").content.decode()
        assert total(page, "cost") == "$3.00"
        shown = {
            name: re.sub("<[^>]*>", "", text) for name, text in re.findall(r'data-before="(.*?)">(.*?)</dd>', page)
        }
        assert shown["cost"] == "before: $3.00 no change"
        assert shown["requests"] == "before: 2 -50 %"


def test_what_changed_is_told_by_user_and_model_the_largest_difference_first(staff: Client, database: str) -> None:
    user = new_user()
    monday, week_ago = TUESDAY - timedelta(days=1), TUESDAY - timedelta(days=7)
    for day, model, cost in (
        (TUESDAY, OPUS, "9"),
        (monday, OPUS, "2"),
        (week_ago, OPUS, "8.5"),
        (TUESDAY, HAIKU, "1"),
        (monday, HAIKU, "1.25"),
        (monday, "gone", "4"),
        (week_ago, "older", "3"),
    ):
        spend(user, day, cost, model)
    address = f"{CHANGES}?user={user.pk}&day={TUESDAY}&from={monday}&to={TUESDAY}"
    page = staff.get(address).content.decode()
    assert differences(page) == [(OPUS, "7"), ("gone", "-4"), (HAIKU, "-0.25")]
    assert (total(page, "cost"), total(page, "before"), total(page, "change")) == ("$10.00", "$7.25", "+38 %")
    week = staff.get(f"{address}&against=week").content.decode()
    assert differences(week) == [("older", "-3"), (HAIKU, "1"), (OPUS, "0.5")]
    file = staff.get(f"{address}&export=csv").content.decode()
    row = next(csv.DictReader(io.StringIO(file)))
    assert (row["user"], row["model"], row["difference"]) == (user.username, OPUS, "7")


def test_every_division_has_the_largest_difference_first_and_says_why(staff: Client, database: str) -> None:
    user = new_user()
    monday = TUESDAY - timedelta(days=1)
    long, short = (Conversation.objects.create(owner=user, title=title) for title in ("Long one", "Short one"))
    for day, conversation, cost, tokens in (
        (monday, long, "1", 100),
        (TUESDAY, long, "1", 100),
        (TUESDAY, long, "1", 100),
        (TUESDAY, long, "1", 100),
        (monday, short, "2", 100),
        (TUESDAY, short, "3", 150),
    ):
        spend(user, day, cost, conversation=conversation, input_tokens=tokens)
    address = f"{CHANGES}?user={user.pk}&from={TUESDAY}&to={TUESDAY}"
    page = staff.get(f"{address}&by=conversation").content.decode()
    table = page[page.index('id="changes"') :]
    assert re.findall(r">(Long one|Short one)</a></td><td>([^<]+)</td>", table) == [
        ("Long one", user.username),
        ("Short one", user.username),
    ]
    assert reasons(table) == [("2", "more requests"), ("1", "more tokens a request")]
    by_user = staff.get(f"{address}&by=user").content.decode()
    assert f">{user.username}</a>" in by_user[by_user.index('id="changes"') :]
    assert "by=conversation" in by_user[by_user.index('id="changes"') :]
    file = staff.get(f"{address}&by=conversation&export=csv").content.decode()
    first, second = csv.DictReader(io.StringIO(file))
    assert (first["conversation"], first["by_requests"], first["by_tokens"]) == ("Long one", "2", "0")
    assert (second["difference"], second["by_tokens"], second["by_prices"]) == ("1", "1", "0")


def test_a_comparison_with_a_day_that_is_not_over_says_so(staff: Client, database: str) -> None:
    today = datetime.now(UTC).date()
    for until, told in ((today, True), (today - timedelta(days=1), False)):
        page = staff.get(f"{CHANGES}?from={today - timedelta(days=2)}&to={until}").content.decode()
        assert ("Today is not over yet" in page) == told


@pytest.mark.parametrize("query", ["by=conversation&error=any", "by=conversation&conversation=none", "by=nothing"])
def test_what_cannot_be_divided_so_is_divided_by_user_and_model(staff: Client, database: str, query: str) -> None:
    assert 'data-division="user-model"' in staff.get(f"{CHANGES}?{query}").content.decode()


def test_a_file_by_user_and_model_has_a_row_for_each_pair(staff: Client, database: str) -> None:
    user = new_user()
    for model, cost in ((OPUS, "1"), (OPUS, "2"), (HAIKU, "0.5")):
        spend(user, TUESDAY, cost, model)
    query = f"user={user.pk}&from={TUESDAY}&to={TUESDAY}&by=user-model"
    rows = list(csv.DictReader(io.StringIO(staff.get(f"{REVIEW}?{query}&export=csv").content.decode())))
    assert [(row["user"], row["model"], row["requests"], row["cost"]) for row in rows] == [
        (user.username, OPUS, "2", "3"),
        (user.username, HAIKU, "1", "0.5"),
    ]


def test_presets_keep_the_other_filters(staff: Client, database: str) -> None:
    user = new_user()
    today = datetime.now(UTC).date()
    scope = Scope(today, today, user=user.pk, model=OPUS, purpose="turn")
    found = presets.presets_for(scope)
    assert [each.name for each in found][:4] == ["Today", "Last 7 days", "This month", "Last month"]
    assert [each.chosen for each in found][:2] == [True, False]
    for preset in found:
        assert f"user={user.pk}" in preset.query
        assert "purpose=turn" in preset.query
        assert preset.since <= preset.until
    assert found[3].until + timedelta(days=1) == found[2].since
    page = staff.get(f"{REVIEW}?{scope.query}&by=model").content.decode()
    assert page.count("by=model") >= len(found)
