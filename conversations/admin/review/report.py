"""The data of the monthly report, read from the daily sums; report_pdf.py draws it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from conversations.admin.review import budget_outlook, changes, dashboard, forecast, levels, unusual
from conversations.admin.review.budget_outlook import Outlook
from conversations.admin.review.changes import Change
from conversations.admin.review.forecast import Forecast
from conversations.admin.review.presets import after
from conversations.admin.review.scope import DAY, Scope
from conversations.admin.review.totals import Sums
from conversations.admin.review.unusual import Unusual

USERS, MODELS = 20, 15
CHANGED = 10
WEEK = 7


@dataclass(frozen=True)
class Month:
    """The month of a report, up to the present day."""

    scope: Scope
    is_over: bool

    @classmethod
    def of(cls, scope: Scope, month: date, today: date) -> Month:
        """Return the month of a day with the filters of a scope; for the present month, the days until today."""
        first = month.replace(day=1)
        end = after(first) - DAY
        return cls(scope.within(day=None, since=first, until=max(first, min(end, today))), end < today)


@dataclass(frozen=True)
class Line:
    """A model, a user or a conversation in the report, with its usage and, if compared, its previous usage."""

    label: str
    now: Sums
    before: Sums | None = None
    note: str = ""


@dataclass(frozen=True)
class Report:
    """The data of a monthly report."""

    month: Month
    made_at: datetime
    made_by: str
    whole: Change
    days: dict[date, Sums]
    by_day_and_model: dict[tuple[date, str], Sums]
    models: list[Line]
    users: list[Line]
    """The users with the highest cost, and all others together."""
    changed: list[Change]
    conversations: list[Line]
    unusual: list[Unusual]
    forecast: Forecast | None
    """Only for a month that is not over."""
    filters: Sequence[tuple[str, str]] = ()
    """The filters of the report, by name."""
    outlook: Outlook | None = None
    budgets: list[Outlook] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """Return the scope of the month's days."""
        return self.month.scope

    @property
    def before(self) -> Scope:
        """Return the month before, or as many days of it as the month has."""
        return self.scope.before


@dataclass(frozen=True)
class Reader:
    """The reader of a report, and their permissions."""

    name: str
    titles: bool
    budgets: bool


def read(month: Month, reader: Reader, now: datetime) -> Report:
    """Return the report of a month, made at a time (UTC), by a constant number of statements."""
    scope = month.scope
    every = dashboard.Parts.read(scope, scope.span, *(() if month.is_over else (forecast.forecast_span(now),)))
    parts = every.within(scope.span)
    comparison = changes.comparison(scope, by="user")
    users = comparison.all()
    own, budgets = (None, []) if month.is_over or not reader.budgets else budget_outlook.outlooks_beside(scope, now)
    return Report(
        month,
        made_at=now,
        made_by=reader.name,
        whole=comparison.whole,
        days=parts.by_day,
        by_day_and_model=parts.by(lambda part: (part.day, part.model)),
        models=_lines(changes.comparison(scope, by="model").all(), MODELS),
        users=_lines(users, USERS),
        changed=[each for each in users[:CHANGED] if each.difference],
        conversations=_conversations(scope, titles=reader.titles),
        unusual=unusual.unusual_users(scope, scope.until, -(-len(scope.days) // WEEK)),
        forecast=None if month.is_over else _forecast(every, now),
        filters=_filters(scope),
        outlook=own,
        budgets=budgets,
    )


def _forecast(every: dashboard.Parts, now: datetime) -> Forecast:
    return forecast.forecast_for({day: sums.cost for day, sums in every.by_day.items()}, now)


def _lines(found: list[Change], most: int) -> list[Line]:
    """Return the most expensive lines, and all others summed up as one line."""
    dearest = sorted(found, key=lambda each: (-each.now.cost, each.label))
    lines = [Line(each.label, each.now, each.before) for each in dearest[:most]]
    others = dearest[most:]
    if others:
        now, before = (sum(sums, Sums()) for sums in zip(*((each.now, each.before) for each in others), strict=True))
        lines.append(Line(f"{len(others)} others", now, before))
    return lines


def _conversations(scope: Scope, *, titles: bool) -> list[Line]:
    found = dashboard.dearest_conversations(scope)
    ids: list[uuid.UUID] = [row["conversation"] for row in found]
    known = levels.titles_of(ids) if titles else {}
    return [
        Line(known.get(row["conversation"], str(row["conversation"])), Sums.of_row(row), None, row["name"])
        for row in found
    ]


def _filters(scope: Scope) -> list[tuple[str, str]]:
    named = {"group": scope.group.name if scope.group else "", "user": _name_of(scope)}
    plain = {name: str(getattr(scope, name)) for name in ("model", "source", "purpose", "error")}
    return [(name, value) for name, value in {**named, **plain}.items() if value]


def _name_of(scope: Scope) -> str:
    return levels.called("user", scope.user) if scope.user is not None else ""
