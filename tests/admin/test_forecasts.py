"""The dashboard forecasts the month's cost with its uncertainty, and says whether budgets will last."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from conversations import clock
from conversations.admin.review import budget_outlook
from conversations.admin.review.forecast import ENOUGH, WINDOW, Forecast, forecast_for
from conversations.models import Budget, Usage, User
from conversations.services.billing.budgets import with_spent
from tests.admin.pages import total

NOW = datetime(2026, 11, 11, 6, tzinfo=UTC)
"""A Wednesday at 6:00: three quarters of it and 19 days are left of the month."""
amounts = st.decimals(0, 1000, places=6, allow_nan=False)


def costs(values: list[Decimal], now: datetime = NOW) -> dict[date, Decimal]:
    """Return these costs by day, the last of them on the day before `now`."""
    today = now.date()
    return {today - timedelta(days=n): cost for n, cost in enumerate(reversed(values), start=1)}


def close(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) < Decimal("1e-9")


def test_days_that_are_all_the_same_go_on_so() -> None:
    found = forecast_for(costs([Decimal(8)] * 28), NOW)
    assert (found.month, found.so_far, found.known) == (date(2026, 11, 1), Decimal(80), 28)
    assert close(found.whole, Decimal(80 + 6 + 19 * 8))
    assert close(found.likely[0], found.whole)
    assert close(found.likely[1], found.whole)


@given(week=st.lists(amounts, min_size=7, max_size=7).filter(any), hour=st.integers(0, 23))
def test_each_weekday_is_expected_as_it_was(week: list[Decimal], hour: int) -> None:
    """Four equal weeks, from Monday to Sunday, are expected to be followed by the same week."""
    now = NOW.replace(hour=hour)
    before = {now.date() - timedelta(days=n): Decimal(0) for n in range(1, 29)}
    found = forecast_for({day: week[day.weekday()] for day in before}, now)
    left = [date(2026, 11, 12) + timedelta(days=n) for n in range(19)]
    rest = week[now.weekday()] * (24 - hour) / 24
    assert found.known >= ENOUGH
    assert close(sum(found.expected.values(), Decimal(0)), sum((week[day.weekday()] for day in left), rest))


@given(values=st.lists(amounts, min_size=3, max_size=28))
def test_what_is_likely_is_around_the_forecast_and_not_below_what_is_spent(values: list[Decimal]) -> None:
    found = forecast_for(costs(values), NOW)
    low, high = found.likely
    assert found.so_far <= low <= found.whole <= high
    assert found.known <= WINDOW


@given(values=st.lists(amounts, min_size=3, max_size=28), times=st.integers(2, 50))
def test_twice_the_costs_are_twice_the_forecast(values: list[Decimal], times: int) -> None:
    found, larger = (forecast_for(costs([each * by for each in values]), NOW) for by in (1, times))
    assert abs(found.whole * times - larger.whole) < Decimal("1e-6")
    assert abs(found.likely[1] * times - larger.likely[1]) < Decimal("1e-6")


@pytest.mark.parametrize(
    ("days", "known", "sure"), [(0, False, False), (2, False, False), (5, True, False), (14, True, True)]
)
def test_few_days_make_no_forecast_or_one_that_is_not_sure(days: int, known: bool, sure: bool) -> None:
    found = forecast_for(costs([Decimal(3)] * days), NOW)
    assert (found.known, found.is_known, found.is_sure) == (days, known, sure)
    if not known:
        assert found.whole == found.so_far


def test_a_limit_is_reached_on_the_day_on_which_it_is() -> None:
    days = {date(2026, 11, day): Decimal(10) for day in (11, 12, 13)}
    found = Forecast(date(2026, 11, 1), Decimal(50), 28, days, Decimal(0))
    assert found.reaches(Decimal(75), Decimal(50)) == date(2026, 11, 13)
    assert found.reaches(Decimal(80), Decimal(50)) == date(2026, 11, 13)
    assert found.reaches(Decimal(81), Decimal(50)) is None
    assert found.reaches(Decimal(40), Decimal(50)) is None


def spent_daily(user: User, cost: str, days: int) -> None:
    """Book the same cost for today and for each of the `days` before it."""
    for n in range(days + 1):
        Usage.objects.create(
            user=user,
            username=user.username,
            model="claude-opus-5-5",
            source="provider",
            cost=Decimal(cost),
            created_at=datetime.now(UTC) - timedelta(days=n),
        )


@pytest.fixture
def user(database: str) -> User:
    return User.objects.create_user(f"spender-{uuid.uuid4().hex[:8]}")


def test_the_forecast_is_of_this_month_whatever_the_period(staff: Client, user: User) -> None:
    spent_daily(user, "3.5", 0)
    earlier = datetime.now(UTC).date() - timedelta(days=70)
    for period in ("", f"&from={earlier}&to={earlier}"):
        page = staff.get(f"/admin/?user={user.pk}{period}").content.decode()
        assert re.search(r'data-cost="3\.5"[^<]*</span> so far', page), period
        assert total(page, "forecast") == "too few days to tell"


def test_a_forecast_says_how_sure_it_is(staff: Client, user: User) -> None:
    spent_daily(user, "2", 5)
    assert "from 5 days only, so it may be far off" in staff.get(f"/admin/?user={user.pk}").content.decode()
    spent_daily(user, "2", 20)
    assert "likely <span" in staff.get(f"/admin/?user={user.pk}").content.decode()


def test_budgets_say_whether_they_will_last(staff: Client, user: User, django_assert_max_num_queries: Any) -> None:
    """Budgets of users, of groups and of the platform count the spending of their own users."""
    group = Group.objects.create(name=user.username)
    group.user_set.add(user)
    spent_daily(user, "10", 28)
    budgets = [
        Budget.objects.create(user=user, limit=Decimal(100000)),
        Budget.objects.create(group=group, limit=Decimal(1)),
        Budget.objects.create(user=user, limit=Decimal(100000), period="day"),
    ]
    found, now = [with_spent(each.pk) for each in budgets], clock.now()
    with django_assert_max_num_queries(2):
        month, used, day = (each.words for each in budget_outlook.outlooks(found, now))
    assert "by the end of" in month
    assert used == "used up"
    assert day == ""
    page = staff.get(f"/admin/?user={user.pk}").content.decode()
    assert re.search(r"Budget of \$100000\.00: about \$[\d,.]+ by the end of \w+, 0 %", page)
    Budget.objects.filter(pk__in=[each.pk for each in budgets]).delete()
