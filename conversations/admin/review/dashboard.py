"""The data of the dashboard, from a few queries of the ledger's daily sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.urls import reverse

from conversations.admin.review import budget_outlook, changes, charts, forecast, levels, unusual
from conversations.admin.review.charts import Chart
from conversations.admin.review.scope import ANY, NOTHING, PLAIN, Scope
from conversations.admin.review.totals import CLASSES, Sums, ValuesRow, summed
from conversations.models import Audit, DailyUsage, Usage

K = TypeVar("K")

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
    """The sums of parts, on which most of the dashboard is based."""

    def __init__(self, sums: dict[Part, Sums], slowest: dict[Part, timedelta]) -> None:
        self._sums, self._slowest = sums, slowest

    @classmethod
    def read(cls, scope: Scope, *spans: tuple[date, date]) -> Parts:
        """Return the parts that a scope's filters select, for these spans of days, by one query of the daily sums."""
        rows = scope.daily_in(*spans)
        keys = tuple(each.name for each in fields(Part))
        found = rows.order_by().values(*keys).annotate(**summed(rows), most=Max("slowest"))
        parts = {Part(*(row[key] for key in keys)): row for row in found}
        slowest = {part: row["most"] for part, row in parts.items() if row["most"] is not None}
        return cls({part: Sums.of_row(row) for part, row in parts.items()}, slowest)

    def within(self, span: tuple[date, date]) -> Parts:
        """Return the parts in a span of days."""
        first, last = span
        sums = {part: sums for part, sums in self._sums.items() if first <= part.day <= last}
        return Parts(sums, {part: most for part, most in self._slowest.items() if part in sums})

    def by(self, key: Callable[[Part], K]) -> defaultdict[K, Sums]:
        """Return the sums of the parts by a key."""
        found: defaultdict[K, Sums] = defaultdict(Sums)
        for part, sums in self._sums.items():
            found[key(part)] += sums
        return found

    @cached_property
    def by_day(self) -> defaultdict[date, Sums]:
        """Return the sums of each day."""
        return self.by(lambda part: part.day)

    @cached_property
    def total(self) -> Sums:
        """Return the sums of all parts."""
        return sum(self.by_day.values(), Sums())

    @cached_property
    def errors(self) -> dict[str, int]:
        """Return the number of failed requests in the ledger, by type of error."""
        return {name: sums.requests for name, sums in self.by(lambda part: part.error_type).items() if name}

    @property
    def slowest(self) -> list[Part]:
        """Return the parts with a known response time, ordered by that of their slowest request."""
        return sorted(self._slowest, key=lambda part: self._slowest[part], reverse=True)


@dataclass(frozen=True)
class Outcomes:
    """The numbers of requests and turns of a period by outcome."""

    failed: int = 0
    """Requests that failed after Claude had begun to answer: they are in the ledger."""
    estimated: int = 0
    """Requests whose usage is estimated."""
    failed_turns: int = 0
    """Turns that failed, also those whose requests Claude never began to answer."""


def context(scope: Scope) -> dict[str, object]:
    """Return all data that the dashboard shows for a scope."""
    now = datetime.now(UTC)
    every = Parts.read(scope, scope.span, scope.before.span, forecast.forecast_span(now))
    parts, parts_before = every.within(scope.span), every.within(scope.before.span)
    failures = _failures(scope, parts)
    users = levels.page_of_level(levels.LEVELS["user"], scope, 1, TOP)[0]
    own, budgets = budget_outlook.outlooks_beside(scope, now)
    return {
        **_tiles(parts, parts_before),
        "period_before": scope.before.span,
        "outcomes": _outcomes(parts, sum(failure.turns for failure in failures)),
        "outcomes_before": _outcomes(parts_before, scope.before.failed_turns().count()),
        "failures": failures,
        "forecast": forecast.forecast_for({day: sums.cost for day, sums in every.by_day.items()}, now),
        "outlook": own,
        "unusual": unusual.unusual_users(scope, min(scope.span[1], now.date())),
        "days": levels.newest_days(scope, parts.by_day),
        "users": users,
        "charts": list(_charts(scope, parts, users)),
        "conversations": list(levels.LEVELS["conversation"].shown(scope, dearest_conversations(scope))),
        "slowest": slowest(scope, parts),
        "budgets": budgets,
        "audit": Audit.objects.first(),
        **_links(scope),
    }


def _tiles(parts: Parts, before: Parts) -> dict[str, object]:
    classes = [(label, getattr(parts.total, name), getattr(before.total, name)) for name, label in CLASSES.items()]
    return {"total": parts.total, "before": before.total, "classes": classes}


def _links(scope: Scope) -> dict[str, object]:
    return {
        "failed_turns_url": _list_of("turn", scope.within(error=scope.error or ANY)),
        "failed_requests_url": _list_of("usage", scope.within(error=scope.error or ANY)),
        "estimated_url": _list_of("usage", scope.within(source=Usage.Source.ESTIMATE)),
        "levels": [(level.heading, levels.address(scope, level.name)) for level in levels.possible_levels(scope)],
        "users_url": levels.address(scope, "user"),
        "days_url": levels.address(scope, "day"),
        "changes_url": changes.address(scope),
        "export_url": levels.address(scope, "user-model"),
    }


def _outcomes(parts: Parts, failed_turns: int) -> Outcomes:
    estimated = parts.by(lambda part: part.source)[Usage.Source.ESTIMATE].requests
    return Outcomes(sum(parts.errors.values()), estimated, failed_turns)


@dataclass(frozen=True)
class Failure:
    """A reason for failures, their number, and the URL of their list."""

    reason: str
    turns: int
    turns_url: str
    requests: int
    requests_url: str


def _failures(scope: Scope, parts: Parts) -> list[Failure]:
    """Return the reasons why turns and requests of a scope failed, the most frequent first."""
    requests = parts.errors
    grouped = scope.failed_turns().order_by().values("reason").annotate(turns=Count("pk"))
    turns = {each["reason"]: each["turns"] for each in grouped}
    found = [
        Failure(
            reason,
            turns.get(reason, 0),
            _list_of("turn", scope.within(error=reason)),
            requests.get(reason, 0),
            _list_of("usage", scope.within(error=reason)),
        )
        for reason in turns.keys() | requests.keys()
    ]
    return sorted(found, key=lambda each: (-max(each.turns, each.requests), each.reason))


def _list_of(model: str, scope: Scope) -> str:
    return f"{reverse(f'admin:conversations_{model}_changelist')}?{scope.query}"


def _charts(scope: Scope, parts: Parts, users: list[levels.Row]) -> Iterator[Chart]:
    sums = [parts.by_day.get(day, Sums()) for day in scope.days]
    days, by_model = scope.days, parts.by(lambda part: part.model)
    in_table = levels.address(scope, "day")
    models = sorted(by_model, key=lambda model: -by_model[model].cost)
    shown = models[:SHOWN_MODELS]
    cost = parts.by(lambda part: (part.day, part.model if part.model in shown else OTHERS))
    named = [*shown, OTHERS] if len(models) > len(shown) else shown
    costs = {name: [float(cost[day, name].cost) for day in days] for name in named}
    yield charts.stacked("cost", "Cost by day and model (USD)", days, costs, in_table)
    tokens = {label: [getattr(each, name) for each in sums] for name, label in CLASSES.items()}
    yield charts.stacked("tokens", "Tokens by day and class", days, tokens, in_table)
    dearest = [(row.label, row.sums.cost) for row in users]
    yield charts.bars("users", "Cost by user (USD)", dearest, levels.address(scope, "user"))
    dearest = [(model, by_model[model].cost) for model in models[:TOP]]
    yield charts.bars("models", "Cost by model (USD)", dearest, levels.address(scope, "model"))
    shares = [each.cache_share for each in sums]
    percents = [None if share is None else round(100 * share, 1) for share in shares]
    yield charts.line("cache", "Input that came from the cache (%)", days, percents, in_table)
    failed = parts.by(lambda part: (part.day, part.error_type))
    kinds = sorted({kind for _, kind in failed if kind})
    errors = {kind: [failed[day, kind].requests for day in days] for kind in kinds}
    yield charts.stacked("errors", "Errors by day", days, errors, in_table)


def dearest_conversations(scope: Scope) -> list[ValuesRow]:
    """Return the sums of the most expensive conversations, which are found by cost before they are summed up."""
    rows = scope.by_conversation().filter(conversation__isnull=False)
    costs = rows.order_by().values("conversation").annotate(total=Sum("cost")).order_by("-total", "conversation")
    dearest = [each["conversation"] for each in costs[:TOP]]
    return list(levels.LEVELS["conversation"].rows(scope).filter(conversation__in=dearest))


def slowest(scope: Scope, parts: Parts) -> list[ValuesRow]:
    """Return the requests with the longest durations.

    They are in the parts with the slowest requests, and there of the users with the slowest ones: only these few are
    searched.
    """
    candidates = parts.slowest[:TOP]
    within = Q(pk__in=())
    for part in candidates:
        within |= Q(**asdict(part))
    of_days = scope.daily().filter(day__in={part.day for part in candidates})  # few days, found in the index
    kinds = of_days.filter(within, slowest__isnull=False).order_by("-slowest")[:TOP]
    of_each = [_slowest_of(kind) for kind in kinds]
    if len(of_each) < 2:
        return [row for rows in of_each for row in rows]
    return list(of_each[0].union(*of_each[1:], all=True).order_by("-duration")[:TOP])


def _slowest_of(kind: DailyUsage) -> QuerySet[Usage, Any]:
    plain = {name: getattr(kind, name) for name in PLAIN}
    of_day = Scope(kind.day, kind.day, user=kind.user_id or NOTHING, **plain)
    rows = of_day.rows().filter(error_type=kind.error_type, corrects=None, duration__isnull=False)
    shown = rows.values("pk", "username", "model", "created_at", "duration", "output_tokens", "error_type")
    return shown.order_by("-duration")[:TOP]
