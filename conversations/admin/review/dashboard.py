"""The dashboard: a period at a glance, from a few reads of the ledger's days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Max, Q, QuerySet, Sum, Value
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
        keys = tuple(each.name for each in fields(Part))
        found = rows.order_by().values(*keys).annotate(**summed(rows), most=Max("slowest"))
        self._sums: dict[Part, Sums] = {}
        slowest: dict[Part, timedelta] = {}
        for each in found:
            part = Part(*(each[key] for key in keys))
            self._sums[part] = Sums.of_row(each)
            if each["most"] is not None:
                slowest[part] = each["most"]
        self.slowest = sorted(slowest, key=lambda part: slowest[part], reverse=True)
        """Those with requests whose time is known, by that of the slowest."""

    def by(self, key: Callable[[Part], Any]) -> defaultdict[Any, Sums]:
        """The sums of the parts with the same key together."""
        found: defaultdict[Any, Sums] = defaultdict(Sums)
        for part, sums in self._sums.items():
            found[key(part)] += sums
        return found


def context(scope: Scope) -> dict[str, Any]:
    """Everything that the dashboard shows of a scope."""
    parts = Parts(scope)
    by_source = parts.by(lambda part: part.source)
    total = sum(by_source.values(), Sums())
    errors = {name: sums.requests for name, sums in parts.by(lambda part: part.error_type).items() if name}
    return {
        "total": total,
        "classes": {label: getattr(total, name) for name, label in CLASSES.items()},
        "failed": sum(errors.values()),
        "estimated": by_source[Usage.Source.ESTIMATE].requests,
        "charts": list(_charts(scope, parts)),
        "conversations": _conversations(scope),
        "slowest": slowest(scope, parts),
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
    users = scope.daily().order_by().values("user").annotate(name=Max("username"), total=Sum("cost"))
    dearest = [(each["name"], each["total"]) for each in users.order_by("-total", "user")[:TOP]]
    yield charts.bars("users", "Cost by user (USD)", dearest, levels.address(scope, "user"))
    dearest = [(model, by_model[model].cost) for model in models[:TOP]]
    yield charts.bars("models", "Cost by model (USD)", dearest, levels.address(scope, "model"))
    shares = [by_day[day].cache_share for day in days]
    percents = [None if share is None else round(100 * share, 1) for share in shares]
    yield charts.line("cache", "Input that came from the cache (%)", days, percents, in_table)
    failed = parts.by(lambda part: (part.day, part.error_type))
    kinds = sorted({kind for _, kind in failed if kind})
    errors = {kind: [failed[day, kind].requests for day in days] for kind in kinds}
    yield charts.stacked("errors", "Errors by day", days, errors, in_table)


def _conversations(scope: Scope) -> list[levels.Row]:
    """Those that cost most: found by that alone, since there are many, and only then added up."""
    rows = scope.daily_conversations().filter(conversation__isnull=False)
    costs = rows.order_by().values("conversation").annotate(total=Sum("cost")).order_by("-total", "conversation")
    dearest = [each["conversation"] for each in costs[:TOP]]
    level = levels.LEVELS["conversation"]
    return list(level.shown(scope, list(level.rows(scope).filter(conversation__in=dearest))))


def slowest(scope: Scope, parts: Parts) -> list[dict[str, Any]]:
    """The requests that took longest.

    They are in the parts whose slowest were slowest, and there of the users whose slowest were: only these few are
    looked into.
    """
    within = Q(pk__in=())
    for part in parts.slowest[:TOP]:
        within |= Q(**asdict(part))
    kinds = scope.daily().filter(within, slowest__isnull=False).order_by("-slowest")[:TOP]
    of_each = [_slowest_of(kind) for kind in kinds]
    if len(of_each) < 2:
        return [row for rows in of_each for row in rows]
    return list(of_each[0].union(*of_each[1:], all=True).order_by("-duration")[:TOP])


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
