"""What the present month will cost if it goes on like the last days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from conversations.admin.review.scope import DAY

RATE_DAYS = 7
"""Days before today from which, with today so far, the rate is taken: a week, since weekends differ."""


@dataclass(frozen=True)
class Forecast:
    """The cost of a month in US dollars."""

    month: date
    """The first day of the month."""
    so_far: Decimal
    a_day: Decimal
    """What the last days cost, on average."""
    whole: Decimal
    """What all of the month will cost at that rate."""


def forecast_span(now: datetime) -> tuple[date, date]:
    """Return the first and the last of the days from which the forecast at a time (UTC) is made."""
    today = now.date()
    return min(today.replace(day=1), today - RATE_DAYS * DAY), today


def forecast_for(costs: Mapping[date, Decimal], now: datetime) -> Forecast:
    """Return the forecast for the month of a time (UTC), from what each day of the span cost, in US dollars."""
    today = now.date()
    month, week_ago = today.replace(day=1), today - RATE_DAYS * DAY
    so_far = sum((cost for day, cost in costs.items() if month <= day <= today), Decimal(0))
    recent = sum((cost for day, cost in costs.items() if week_ago <= day <= today), Decimal(0))
    a_day = recent / _days(now - datetime.combine(week_ago, time(), UTC))
    end = datetime.combine((month + 32 * DAY).replace(day=1), time(), UTC)
    return Forecast(month, so_far, a_day, so_far + a_day * _days(end - now))


def _days(length: timedelta) -> Decimal:
    return Decimal(length.total_seconds()) / Decimal(DAY.total_seconds())
