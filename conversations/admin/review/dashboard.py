"""The dashboard: a period at a glance, from a few reads of the ledger's days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Max, QuerySet, Value
from django.db.models.functions import NullIf

from conversations.admin.meters import Meter
from conversations.admin.review import charts, levels
from conversations.admin.review.charts import Chart
from conversations.admin.review.scope import NOTHING, PLAIN, Scope
from conversations.admin.review.sums import CLASSES, Sums, summed
from conversations.models import Audit, Budget, DailyUsage, Usage
from conversations.services import budgets

TOP = 10
SHOWN_MODELS = 6
"""Models with a colour of their own; the others share one."""
OTHERS = "others"


@dataclass(frozen=True)
class Part:
    """A part of a scope that is not divided further."""

    day: date
    model: str
    source: str
    error_type: str


class Parts:
    """The sums of a scope's parts, from which most of the dashboard is made: one read of the ledger's days."""

    def __init__(self, scope: Scope) -> None:
        rows = scope.daily()
        keys = ("day", "model", "source", "error_type")
        found = rows.order_by().values(*keys).annotate(**summed(rows))
        self._sums = {Part(*(each[key] for key in keys)): Sums.of_row(each) for each in found}

    def by(self, key: Callable[[Part], Any]) -> defaultdict[Any, Sums]:
        """The sums of the parts with the same key together."""
        found: defaultdict[Any, Sums] = defaultdict(Sums)
        for part, sums in self._sums.items():
            found[key(part)] += sums
        return found


def context(scope: Scope) -> dict[str, Any]:
    """Everything that the dashboard shows of a scope."""
    parts = Parts(scope)
    total = sum(parts.by(lambda part: part.source).values(), Sums())
    errors = {name: sums.requests for name, sums in parts.by(lambda part: part.error_type).items() if name}
    return {
        "total": total,
        "classes": {label: getattr(total, name) for name, label in CLASSES.items()},
        "failed": sum(errors.values()),
        "estimated": parts.by(lambda part: part.source)[Usage.Source.ESTIMATE].requests,
        "charts": list(_charts(scope, parts)),
        "conversations": _conversations(scope),
        "slowest": slowest(scope),
        "errors": sorted(errors.items(), key=lambda each: -each[1]),
        "budgets": _budgets(),
        "audit": Audit.objects.first(),
        "levels": [(level.heading, levels.address(scope, level.name)) for level in levels.possible(scope)],
    }


def _charts(scope: Scope, parts: Parts) -> Iterator[Chart]:
    days, by_day, by_model = scope.days, parts.by(lambda part: part.day), parts.by(lambda part: part.model)
    in_table = levels.address(scope, "day")
    models = sorted(by_model, key=lambda model: -by_model[model].cost)
    shown = models[:SHOWN_MODELS]
    cost = parts.by(lambda part: (part.day, part.model if part.model in shown else OTHERS))
    named = [*shown, OTHERS] if len(models) > len(shown) else shown
    costs = {name: [float(cost[day, name].cost) for day in days] for name in named}
    yield charts.stacked("cost", "Cost by day and model (USD)", days, costs, in_table)
    tokens = {label: [getattr(by_day[day], name) for day in days] for name, label in CLASSES.items()}
    yield charts.stacked("tokens", "Tokens by day and class", days, tokens, in_table)
    users = [(each["name"], each["sum_cost"]) for each in _dearest(scope.daily(), "user")]
    yield charts.bars("users", "Cost by user (USD)", users, levels.address(scope, "user"))
    dearest = [(model, by_model[model].cost) for model in models[:TOP]]
    yield charts.bars("models", "Cost by model (USD)", dearest, levels.address(scope, "model"))
    shares = [by_day[day].cache_share for day in days]
    percents = [None if share is None else round(100 * share, 1) for share in shares]
    yield charts.line("cache", "Input that came from the cache (%)", days, percents, in_table)
    failed = parts.by(lambda part: (part.day, part.error_type))
    kinds = sorted({kind for _, kind in failed if kind})
    errors = {kind: [failed[day, kind].requests for day in days] for kind in kinds}
    yield charts.stacked("errors", "Errors by day", days, errors, in_table)


def _dearest(rows: QuerySet[Any], key: str) -> list[dict[str, Any]]:
    found = rows.order_by().values(key).annotate(**summed(rows), name=Max("username"))
    return list(found.order_by("-sum_cost", key)[:TOP])


def _conversations(scope: Scope) -> list[levels.Row]:
    """Those that cost most."""
    found = _dearest(scope.daily_conversations().filter(conversation__isnull=False), "conversation")
    return list(levels.LEVELS["conversation"].shown(scope, found))


def slowest(scope: Scope) -> list[dict[str, Any]]:
    """The requests that took longest.

    Each is one of a day, user and kind whose slowest was among the slowest: only these few are looked into.
    """
    kinds = list(scope.daily().filter(slowest__isnull=False).order_by("-slowest")[:TOP])
    found = [_slowest_of(kind) for kind in kinds]
    return list(found[0].union(*found[1:], all=True).order_by("-duration")[:TOP]) if found else []


def _slowest_of(kind: DailyUsage) -> QuerySet[Any, Any]:
    plain = {name: getattr(kind, name) for name in PLAIN}
    of_day = Scope(kind.day, kind.day, user=kind.user_id or NOTHING, **plain)
    rows = of_day.rows().filter(error_type=kind.error_type, corrects=None, duration__isnull=False)
    shown = rows.values("pk", "username", "model", "created_at", "duration", "output_tokens", "error_type")
    return shown.order_by("-duration")[:TOP]


def _budgets() -> list[Meter]:
    """Those that are used up most."""
    used = (F("spent_now") + F("held")) / NullIf("limit", Value(Decimal(0)))
    found = Budget.objects.select_related("user", "group").annotate(spent_now=budgets.SPENT)
    return [Meter(each) for each in found.annotate(used=used).order_by(F("used").desc(nulls_first=True))[:TOP]]
