"""Why a day or a period cost more or less than an earlier one: by user and model, the largest differences first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import DecimalField, F, Max, Q, Sum, Value
from django.db.models.functions import Abs, Coalesce

from conversations.admin.review import levels
from conversations.admin.review.scope import NOTHING, Scope
from conversations.admin.review.totals import ValuesRow, ValuesRows

WEEK = timedelta(days=7)
BEFORE, WEEK_BEFORE = "before", "week"
"""What a period can be held against: the one just before it, or the same days a week before."""

PAGE = 100
"""Rows that are shown."""


@dataclass(frozen=True)
class Change:
    """What a user spent on a model in a period, and in the earlier one, in US dollars."""

    user: str
    model: str
    now: Decimal
    before: Decimal
    requests_now: int
    requests_before: int
    url: str
    """Where the conversations behind it are."""

    @property
    def difference(self) -> Decimal:
        """Return how much more it is now."""
        return self.now - self.before


def possible_comparisons(scope: Scope) -> dict[str, str]:
    """Return what a scope can be held against, and what each is called: periods do not overlap."""
    called = {BEFORE: "The day before" if len(scope.days) == 1 else "The period before"}
    if len(scope.days) <= WEEK.days:
        called[WEEK_BEFORE] = "The same day a week before" if len(scope.days) == 1 else "The same days a week before"
    return called


def earlier(scope: Scope, against: str) -> Scope:
    """Return what a scope is held against; what is not possible is the period just before."""
    return scope.shifted(WEEK) if against == WEEK_BEFORE and against in possible_comparisons(scope) else scope.before


def differences_between(scope: Scope, before: Scope) -> list[Change]:
    """Return all differences between two periods with the same filters, the largest first."""
    return [_change(scope, each) for each in _rows(scope, before)]


def largest(scope: Scope, before: Scope) -> list[Change]:
    """Return as many of them as are shown on a page."""
    return [_change(scope, each) for each in _rows(scope, before)[:PAGE]]


def _rows(scope: Scope, before: Scope) -> ValuesRows:
    now, then = Q(day__range=scope.span), Q(day__range=before.span)
    both = scope.within(day=None, since=before.span[0], until=scope.span[1])
    rows = both.by_day().filter(now | then).order_by().values("user", "model")
    found = rows.annotate(
        name=Max("username"),
        now=_cost(now),
        before=_cost(then),
        requests_now=Sum("requests", filter=now, default=0),
        requests_before=Sum("requests", filter=then, default=0),
    )
    return found.order_by(Abs(F("now") - F("before")).desc(), "user", "model")


def _cost(period: Q) -> Coalesce:
    nothing = Value(Decimal(0), output_field=DecimalField(max_digits=24, decimal_places=12))
    return Coalesce(Sum("cost", filter=period), nothing)


def _change(scope: Scope, row: ValuesRow) -> Change:
    narrower = scope.within(user=row["user"] or NOTHING, model=row["model"])
    url = levels.address(narrower, "conversation")
    amounts = {name: row[name] for name in ("model", "now", "before", "requests_now", "requests_before")}
    return Change(user=row["name"], url=url, **amounts)
