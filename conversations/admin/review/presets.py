"""The periods that are asked for most, each as a link that keeps all other filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from conversations.admin.review.scope import DAY, Scope

MONTHS = 12
"""Months that can be chosen, the present one included."""


@dataclass(frozen=True)
class Preset:
    """A period that can be chosen by one click."""

    name: str
    since: date
    until: date
    query: str
    """The scope with this period as the parameters of an address."""
    chosen: bool
    """Whether it is what is shown."""


def presets_for(scope: Scope) -> list[Preset]:
    """Return today, the last 7 days, this month, the last month, and the months before those by their names."""
    today = datetime.now(UTC).date()
    this, last, *earlier = _months(today)
    periods = [
        ("Today", today, today),
        ("Last 7 days", today - 6 * DAY, today),
        ("This month", this, today),
        ("Last month", last, this - DAY),
    ]
    periods += [(f"{month:%b %Y}", month, _after(month) - DAY) for month in earlier]
    return [_preset(scope, *period) for period in periods]


def _preset(scope: Scope, name: str, since: date, until: date) -> Preset:
    chosen = scope.within(day=None, since=since, until=until)
    return Preset(name, since, until, chosen.query, chosen.span == scope.span)


def _months(today: date) -> list[date]:
    """Return the first days of the present month and of those before it."""
    months = [today.replace(day=1)]
    while len(months) < MONTHS:
        months.append((months[-1] - DAY).replace(day=1))
    return months


def _after(month: date) -> date:
    return (month + 32 * DAY).replace(day=1)
