"""Numbers are shown beside those of the period before; what changed, and what the month will cost, are told."""

from __future__ import annotations

import csv
import io
import re
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from conversations.admin.review import forecast, presets
from conversations.admin.review.scope import Scope
from conversations.models import Usage, User
from tests.admin.pages import total

CHANGES = "/admin/conversations/usage/changes/"
REVIEW = "/admin/conversations/usage/review/"
TUESDAY = date(2026, 3, 10)
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"


def spend(user: User, day: date, cost: str, model: str = OPUS) -> None:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    Usage.objects.create(
        user=user, username=user.username, model=model, source="provider", cost=Decimal(cost), created_at=at
    )


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


def test_the_forecast_goes_on_like_the_last_days() -> None:
    costs = {date(2026, 2, 27): 100, date(2026, 3, 2): 5, date(2026, 3, 4): 7, date(2026, 3, 10): 2}
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    found = forecast.forecast_for({day: Decimal(cost) for day, cost in costs.items()}, now)
    assert (found.month, found.so_far) == (date(2026, 3, 1), Decimal(14))
    assert found.a_day == Decimal(9) / Decimal("7.5")  # since the 3rd
    assert found.whole == 14 + found.a_day * Decimal("21.5")


def test_the_forecast_is_of_this_month_whatever_the_period(staff: Client, database: str) -> None:
    user = new_user()
    today = datetime.now(UTC).date()
    spend(user, today, "3.5")
    earlier = today - timedelta(days=70)
    spend(user, earlier, "70")
    for period in ("", f"&from={earlier}&to={earlier}", f"&from={today}&to={today}"):
        page = staff.get(f"/admin/?user={user.pk}{period}").content.decode()
        assert re.search(r'data-cost="3\.5"[^<]*</span> so far', page), period


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
