"""How a forecast is computed: from which days, at which rate, and with which uncertainty."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.admin.review.forecast import EIGHT_OF_TEN, ENOUGH, FEWEST, WINDOW, forecast_for, forecast_span

NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)  # a Wednesday
moments = st.datetimes(datetime(2000, 3, 1), datetime(2099, 12, 31), timezones=st.just(UTC))


def before(now: datetime, *costs: int) -> dict[date, Decimal]:
    """Return these costs by day, the last of them on the day before `now`."""
    return {now.date() - timedelta(days=n): Decimal(cost) for n, cost in enumerate(reversed(costs), 1)}


SPANS = [
    ("2026-11-11T06:00", "2026-10-14"),
    ("2026-11-29T06:00", "2026-11-01"),
    ("2026-11-30T06:00", "2026-11-01"),
    ("2026-03-01T00:00", "2026-02-01"),
]


@pytest.mark.parametrize(("now", "first"), SPANS)
def test_the_days_that_are_read_are_four_weeks_and_all_of_the_month(now: str, first: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert forecast_span(moment) == (date.fromisoformat(first), moment.date())


@given(moments)
def test_what_is_left_is_the_rest_of_today_and_of_the_month(now: datetime) -> None:
    """At a dollar a day, the forecast is the number of days that are left of the month."""
    found = forecast_for(before(now, *[1] * WINDOW), now)
    after = (now.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    left = datetime(after.year, after.month, 1, tzinfo=UTC) - now
    assert abs(float(sum(found.expected.values())) - left / timedelta(days=1)) < 1e-6
    assert [*found.expected] == [now.date() + timedelta(days=n) for n in range((after - now.date()).days)]


def test_today_counts_as_far_as_it_is_and_tomorrow_never() -> None:
    costs = {**before(NOON, *[8] * 14), NOON.date(): Decimal(5), NOON.date() + timedelta(days=1): Decimal(100)}
    found = forecast_for(costs, NOON)
    assert found.so_far == 8 * 10 + 5
    assert found.expected[NOON.date()] == 4, "half a day at the usual rate, whatever there was this morning"
    assert found.known == 14


def test_days_of_another_month_are_not_in_the_sum() -> None:
    assert forecast_for(before(NOON, *[1] * 28), NOON).so_far == 10


@pytest.mark.parametrize(
    ("costs", "known"),
    [
        ([0] * 28, 0),
        ([0] * 27 + [1], 1),
        ([0] * 20 + [1] + [0] * 7, 8),
        ([1] + [0] * 27, 28),
        ([9] * 12 + [0] * 28, 0),
        ([1] * 40, 28),
    ],
)
def test_days_are_known_from_the_first_with_any_cost_in_four_weeks(costs: list[int], known: int) -> None:
    assert forecast_for(before(NOON, *costs), NOON).known == known


def test_the_level_is_that_of_the_last_seven_days() -> None:
    rising = forecast_for(before(NOON, *[1] * 21, *[3] * 7), NOON)
    assert rising.expected[date(2026, 11, 12)] == 3
    few = forecast_for(before(NOON, 1, 2, 3, *[5] * 7), NOON)
    assert few.expected[date(2026, 11, 12)] == 5


def test_until_weekdays_are_seen_twice_every_day_is_like_the_others() -> None:
    days = [9, 1, 1, 1, 1, 1, 1]
    alike = forecast_for(before(NOON, *(days * 2)[1:]), NOON)
    assert alike.known == ENOUGH - 1
    assert len(set(alike.expected.values()) - {alike.expected[NOON.date()]}) == 1
    apart = forecast_for(before(NOON, *days * 2), NOON)
    assert apart.known == ENOUGH
    assert apart.expected[date(2026, 11, 18)] == 9, "a Wednesday, as a week and two weeks before"
    assert apart.expected[date(2026, 11, 19)] == 1


def test_a_level_of_nothing_is_a_forecast_of_nothing() -> None:
    found = forecast_for(before(NOON, *[5] * 7, *[0] * 7), NOON)
    assert found.whole == found.so_far
    assert set(found.expected.values()) == {0}


def test_corrections_that_take_more_back_than_there_was_are_no_income_to_come() -> None:
    found = forecast_for(before(NOON, *[1] * 21, *[-3] * 7), NOON)
    assert min(found.expected.values()) == 0


def test_the_fewest_days_make_a_forecast() -> None:
    assert forecast_for(before(NOON, *[1] * FEWEST), NOON).is_known
    assert not forecast_for(before(NOON, *[1] * (FEWEST - 1)), NOON).expected


def test_how_far_off_it_may_be_grows_with_how_uneven_the_days_were() -> None:
    """Costs of 2 and 0 in turn have a deviation of 1 a day; the error is that of 19.5 days at a level of seven."""
    found = forecast_for(before(NOON, *[2, 0] * 5), NOON)
    left = Decimal("19.5")
    variance = Decimal(10) / 9 * (left + left * left / 7)
    assert abs(found.deviation - variance.sqrt()) < Decimal("1e-12")
    low, high = found.likely
    assert abs((high - found.whole) - EIGHT_OF_TEN * found.deviation) < Decimal("1e-12")
    assert low == max(found.so_far, found.whole - EIGHT_OF_TEN * found.deviation)


def test_weekdays_that_differ_do_not_make_it_unsure() -> None:
    assert forecast_for(before(NOON, *[9, 1, 1, 1, 1, 1, 1] * 4), NOON).deviation == 0


def test_a_limit_that_is_reached_exactly_is_reached() -> None:
    found = forecast_for(before(NOON, *[8] * 14), NOON)
    assert found.reaches(Decimal(10), Decimal(10)) is None, "it is reached already"
    assert found.reaches(Decimal(12), Decimal(8)) == NOON.date()
    assert found.reaches(Decimal(13), Decimal(8)) == date(2026, 11, 12)
    assert found.reaches(found.whole, found.so_far) == date(2026, 11, 30)
    assert found.reaches(found.whole + 1, found.so_far) is None
