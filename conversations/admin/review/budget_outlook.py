"""Whether the month's budgets will last at the rate of the last days."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from django.db.models import F, QuerySet, Sum, Value
from django.db.models.functions import NullIf

from conversations.admin.meters import Meter
from conversations.admin.review.forecast import Forecast, forecast_for, forecast_span
from conversations.admin.review.scope import Scope
from conversations.models import Budget, DailyUsage
from conversations.services.billing import budgets

TOP = 10
"""The number of budgets that are shown."""

Whose: TypeAlias = uuid.UUID | int | None
"""The user or the group of a budget; None for the platform's."""


@dataclass(frozen=True)
class Outlook:
    """The use of a budget, and its forecast for the end of the month."""

    meter: Meter
    forecast: Forecast | None = None
    """The forecast cost of its users' month; None for a daily budget."""

    @property
    def at_the_end(self) -> Decimal | None:
        """Return the forecast spending at the end of the month, in US dollars; None if it is unknown."""
        if self.forecast is None or not self.forecast.is_known:
            return None
        return self.meter.spent_now + sum(self.forecast.expected.values(), Decimal(0))

    @property
    def used_up(self) -> date | None:
        """Return the day on which the budget will be used up; None if it will not be, or is already."""
        return self.forecast.reaches(self.meter.budget.limit, self.meter.spent_now) if self.forecast else None

    @property
    def words(self) -> str:
        """Return the outlook as text; empty if there is none."""
        if self.forecast is None or self.meter.spent_now >= self.meter.budget.limit:
            return "used up" if self.meter.spent_now >= self.meter.budget.limit else ""
        if self.at_the_end is None:
            return "too few days to tell"
        if self.used_up is not None:
            return f"used up about {self.used_up:%B} {self.used_up.day}"
        return f"about ${self.at_the_end:,.2f} by the end of {self.forecast.month:%B}, {self._share} %"

    @property
    def _share(self) -> int:
        limit = self.meter.budget.limit
        return round(100 * (self.at_the_end or Decimal(0)) / limit) if limit else 100


def outlooks_beside(scope: Scope, now: datetime) -> tuple[Outlook | None, list[Outlook]]:
    """Return the outlook of the budget that covers exactly a scope, if any, and of the most used budgets."""
    used = (F("spent_now") + F("held")) / NullIf("limit", Value(Decimal(0)))
    most = list(_budgets().annotate(used=used).order_by(F("used").desc(nulls_first=True))[:TOP])
    own = list(_of_scope(scope))
    found = outlooks([*most, *own], now)
    return (found[-1] if own else None), found[: len(most)]


def _of_scope(scope: Scope) -> QuerySet[Budget]:
    """Return the monthly budget of the user, group or platform that a scope covers exactly; None for other scopes."""
    is_part = scope.within(user=None, group=None, day=None) != Scope(scope.since, scope.until)
    if is_part or isinstance(scope.user, str) or (scope.user and scope.group):
        return _budgets().none()
    return _budgets().filter(period=Budget.Period.MONTH, user=scope.user, group=scope.group)


def _budgets() -> QuerySet[Budget]:
    return Budget.objects.select_related("user", "group").annotate(spent_now=budgets.SPENT)


def outlooks(found: Iterable[Budget], now: datetime) -> list[Outlook]:
    """Return the outlook of budgets, which must have `spent_now`, at a time (UTC)."""
    listed = list(found)
    costs = _costs([each for each in listed if each.period == Budget.Period.MONTH], now)
    forecasts = {whose: forecast_for(days, now) for whose, days in costs.items()}
    return [
        Outlook(Meter(each), forecasts.get(_whose(each)) if each.period == Budget.Period.MONTH else None)
        for each in listed
    ]


def _whose(budget: Budget) -> Whose:
    return budget.user_id or budget.group_id


def _costs(monthly: Sequence[Budget], now: datetime) -> Mapping[Whose, dict[date, Decimal]]:
    """Return the daily costs on which the budgets' forecasts are based, by one query for each kind of budget."""
    rows = DailyUsage.objects.filter(day__range=forecast_span(now)).order_by()
    users = [each.user_id for each in monthly if each.user_id]
    groups = [each.group_id for each in monthly if each.group_id]
    found: defaultdict[Whose, dict[date, Decimal]] = defaultdict(dict)
    for each in monthly:
        found[_whose(each)] = {}
    if users:
        _add(found, rows.filter(user__in=users).values_list("user", "day").annotate(Sum("cost")))
    if groups:
        of_groups = rows.filter(user__groups__in=groups)
        _add(found, of_groups.values_list("user__groups", "day").annotate(Sum("cost")))
    if len(users) + len(groups) < len(monthly):
        _add(found, ((None, *row) for row in rows.values_list("day").annotate(Sum("cost"))))
    return found


def _add(found: dict[Whose, dict[date, Decimal]], rows: Iterable[Sequence[object]]) -> None:
    for whose, day, cost in rows:
        found[whose][day] = cost  # type: ignore[index, assignment]
