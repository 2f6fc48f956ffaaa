"""Forecasting the present month's cost at the rate of the last days. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property

from conversations.admin.review.scope import DAY

WEEK = 7
WINDOW = 4 * WEEK
"""The number of whole days before today on which a forecast is based: four of each weekday."""

FEWEST = 3
"""The minimal number of whole days for a forecast."""
ENOUGH = 2 * WEEK
"""The number of whole days from which on weekdays are distinguished: two of each."""

EIGHT_OF_TEN = Decimal("1.2816")
"""Standard deviations around the middle within which eight of ten values of a normal distribution are."""


@dataclass(frozen=True)
class Forecast:
    """The forecast cost of a month, in US dollars."""

    month: date
    """The first day of the month."""
    so_far: Decimal
    known: int
    """The number of whole days that it is based on."""
    expected: Mapping[date, Decimal]
    """The expected cost of each remaining day, with the rest of today; empty if too few days are known."""
    deviation: Decimal
    """The standard deviation of the sum of the expected costs."""

    @property
    def is_known(self) -> bool:
        """Return whether there are enough days for a forecast."""
        return self.known >= FEWEST

    @cached_property
    def whole(self) -> Decimal:
        """Return the cost of the whole month; the cost so far if there is no forecast."""
        return self.so_far + sum(self.expected.values(), Decimal(0))

    @property
    def likely(self) -> tuple[Decimal, Decimal]:
        """Return the range in which eight of ten such months would end."""
        apart = EIGHT_OF_TEN * self.deviation
        return max(self.so_far, self.whole - apart), self.whole + apart

    @property
    def is_sure(self) -> bool:
        """Return whether there are enough days for a range."""
        return self.known >= ENOUGH

    def reaches(self, limit: Decimal, spent: Decimal) -> date | None:
        """Return the day on which a budget with this limit and spending will be used up; None if it will not be."""
        if spent >= limit:
            return None
        for day in sorted(self.expected):
            spent += self.expected[day]
            if spent >= limit:
                return day
        return None


def forecast_span(now: datetime) -> tuple[date, date]:
    """Return the first and the last of the days on which the forecast at a time (UTC) is based."""
    today = now.date()
    return min(today.replace(day=1), today - WINDOW * DAY), today


def forecast_for(costs: Mapping[date, Decimal], now: datetime) -> Forecast:
    """Return the forecast for the month of a time (UTC), from the daily costs of the span, in US dollars.

    The level is that of the last seven days, distributed over the weekdays as in the four weeks before today.
    """
    today = now.date()
    month = today.replace(day=1)
    so_far = sum((cost for day, cost in costs.items() if month <= day <= today), Decimal(0))
    days = _whole_days(costs, today)
    if len(days) < FEWEST:
        return Forecast(month, so_far, len(days), {}, Decimal(0))
    rates = _rates(days)
    left = _left(now)
    expected = {day: max(rates[day.weekday()] * part, Decimal(0)) for day, part in left.items()}
    return Forecast(month, so_far, len(days), expected, _deviation(days, sum(left.values(), Decimal(0))))


def _whole_days(costs: Mapping[date, Decimal], today: date) -> dict[date, Decimal]:
    """Return the costs of the window's whole days, from the first one with any cost."""
    window = [today - n * DAY for n in range(WINDOW, 0, -1)]
    used = [day for day in window if costs.get(day)]
    return {day: costs.get(day, Decimal(0)) for day in window if used and day >= used[0]}


def _rates(days: Mapping[date, Decimal]) -> list[Decimal]:
    """Return the expected cost of each weekday, from Monday."""
    last = list(days.values())[-WEEK:]
    level = sum(last, Decimal(0)) / len(last)
    usual = _by_weekday(days)
    whole = sum(usual)
    if len(days) < ENOUGH or whole <= 0:
        return [level] * WEEK
    return [each * level * WEEK / whole for each in usual]


def _by_weekday(days: Mapping[date, Decimal]) -> list[Decimal]:
    """Return the average cost of each weekday; with less than two of each, that of all days."""
    if len(days) < ENOUGH:
        return [sum(days.values(), Decimal(0)) / len(days)] * WEEK
    seen = [[cost for day, cost in days.items() if day.weekday() == weekday] for weekday in range(WEEK)]
    return [sum(costs, Decimal(0)) / len(costs) for costs in seen]


def _deviation(days: Mapping[date, Decimal], left: Decimal) -> Decimal:
    """Return the standard deviation of the cost of so many days, for a level that is estimated from seven days."""
    usual = _by_weekday(days)
    squares = sum(((cost - usual[day.weekday()]) ** 2 for day, cost in days.items()), Decimal(0))
    variance = squares / (len(days) - 1)
    return (variance * (left + left * left / WEEK)).sqrt()


def _left(now: datetime) -> dict[date, Decimal]:
    """Return the remaining days of the month after a time (UTC), each with the remaining share of it, 0 to 1."""
    today = now.date()
    rest = datetime.combine(today + DAY, time(), UTC) - now
    found = {today: Decimal(rest.total_seconds()) / Decimal(timedelta(days=1).total_seconds())}
    day = today + DAY
    while day.month == today.month:
        found[day] = Decimal(1)
        day += DAY
    return found
