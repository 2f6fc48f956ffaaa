"""What the present month will cost if it goes on like the last days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Sum

from conversations.admin.review.scope import DAY, Scope

RATE_DAYS = 7
"""Days before today from which, with today so far, the rate is taken: a week, since weekends differ."""


@dataclass(frozen=True)
class Forecast:
    """The cost of a month in US dollars."""

    month: date
    """Its first day."""
    so_far: Decimal
    a_day: Decimal
    """What the last days cost, on average."""
    whole: Decimal
    """What all of the month will cost at that rate."""


def of(scope: Scope, now: datetime) -> Forecast:
    """Return the forecast for the month of a time (UTC), for what the scope's filters name, whatever its period."""
    today = now.date()
    month = today.replace(day=1)
    week_ago = today - RATE_DAYS * DAY
    rows = scope.within(day=None, since=min(month, week_ago), until=today).by_day().order_by()
    costs = dict(rows.values_list("day").annotate(Sum("cost")))
    so_far = sum((cost for day, cost in costs.items() if day >= month), Decimal(0))
    recent = sum((cost for day, cost in costs.items() if day >= week_ago), Decimal(0))
    a_day = recent / _days(now - datetime.combine(week_ago, time(), UTC))
    end = datetime.combine((month + 32 * DAY).replace(day=1), time(), UTC)
    return Forecast(month, so_far, a_day, so_far + a_day * _days(end - now))


def _days(length: timedelta) -> Decimal:
    return Decimal(length.total_seconds()) / Decimal(DAY.total_seconds())
