"""Common periods, each as a link that keeps all other filters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from conversations.admin.review.scope import DAY, Scope

MONTHS = 12
"""The number of months that can be chosen, the present one included."""


@dataclass(frozen=True)
class Preset:
    """A period that can be chosen by one click."""

    name: str
    since: date
    until: date
    query: str
    """The query parameters of the scope with this period."""
    chosen: bool
    """Whether this period is shown at present."""


@dataclass(frozen=True)
class Period:
    """A period relative to the present day."""

    called: str
    of: Callable[[date], tuple[date, date]]
    """Returns the period's first and last day, for a given day."""


PERIODS = {
    "today": Period("Today", lambda today: (today, today)),
    "7-days": Period("Last 7 days", lambda today: (today - 6 * DAY, today)),
    "this-month": Period("This month", lambda today: (today.replace(day=1), today)),
    "last-month": Period("Last month", lambda today: (_months(today)[1], today.replace(day=1) - DAY)),
    "30-days": Period("Last 30 days", lambda today: (today - 29 * DAY, today)),
}
BUTTONS = ("today", "7-days", "this-month", "last-month")


def presets_for(scope: Scope) -> list[Preset]:
    """Return today, the last 7 days, this month, the last month, and earlier months by name."""
    today = datetime.now(UTC).date()
    periods = [(PERIODS[name].called, *PERIODS[name].of(today)) for name in BUTTONS]
    periods += [(f"{month:%b %Y}", month, after(month) - DAY) for month in _months(today)[2:]]
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


def after(month: date) -> date:
    """Return the first day of the next month."""
    return (month + 32 * DAY).replace(day=1)
