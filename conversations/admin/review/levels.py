"""The drill-down: a scope's sums by day, user, model, conversation, turn or request; each row leads to the next level.

The rows of a level add up to the row that led to it, since both are sums of the same ledger rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from django.db.models import Aggregate, Max, Min, Model, Q, QuerySet, Sum
from django.urls import reverse

from conversations.admin.review.scope import NOTHING, Scope
from conversations.admin.review.totals import CLASSES, Sums, ValuesRow, ValuesRows, summed
from conversations.models import Conversation, DailyUsage, Turn, Usage

PAGE = 100
"""Rows of a level on a page."""
GLANCE = 14
"""The number of days that are shown together."""
MODELS = 3
"""Models that are named beside a user."""


Found = TypeVar("Found")
"""What a level reads for each of its rows."""


@dataclass(frozen=True)
class Row:
    """A part of a scope."""

    label: str
    sums: Sums
    url: str = ""
    """The URL of the page about this part; empty if there is none."""
    note: str = ""
    changes: str = ""
    """The URL of the comparison with the previous period."""


@dataclass(frozen=True)
class Level(Generic[Found]):
    """One way to divide a scope."""

    name: str
    heading: str
    rows: Callable[[Scope], QuerySet[Model, Found]]
    shown: Callable[[Scope, list[Found]], Iterable[Row]]
    columns: tuple[str, str] = ("", "note")
    """An export's headings of a row's label and note; the default of the former is the level's name."""


def level_named(scope: Scope, by: str) -> Level[Any]:
    """Return the level with this name, or else the first one that is possible for the scope."""
    return next((level for level in possible_levels(scope) if level.name == by), LEVELS[_below(scope)])


def possible_levels(scope: Scope) -> list[Level[Any]]:
    """Return the levels that are possible for a scope: turns and requests only if there are not too many."""
    if scope.turn is not None:
        names: tuple[str, ...] = ("model", "request")
    elif scope.conversation is not None:
        # The daily sums of conversations do not distinguish errors.
        names = ("model", "turn", "request") if scope.error else ("day", "model", "turn", "request")
    else:
        few = scope.user is not None and len(scope.days) == 1
        names = ("day", "user", "model", "user-model", "conversation", *(("turn", "request") if few else ()))
    return [LEVELS[name] for name in names]


def page_of_level(level: Level[Found], scope: Scope, number: int, size: int = PAGE) -> tuple[list[Row], bool]:
    """Return a page of a level with `size` rows at most, numbered from 1, and whether there are more after it."""
    found = list(level.rows(scope)[(number - 1) * size : number * size + 1])
    return list(level.shown(scope, found[:size])), len(found) > size


def newest_days(scope: Scope, sums: Mapping[date, Sums]) -> list[Row]:
    """Return the days of a scope with these sums, the newest first, up to a limit."""
    return [_row_of_day(scope, day, sums[day]) for day in sorted(sums, reverse=True)[:GLANCE]]


def address(scope: Scope, by: str = "") -> str:
    """Return the URL of a level of a scope."""
    return f"{reverse('admin:conversations_usage_review')}?{scope.query}{f'&by={by}' if by else ''}"


def changes(scope: Scope, against: str = "") -> str:
    """Return the URL of the comparison of a scope with an earlier period (changes.py)."""
    address = f"{reverse('admin:conversations_usage_changes')}?{scope.query}"
    return f"{address}&against={against}" if against else address


def trail(scope: Scope) -> list[tuple[str, str]]:
    """Return the breadcrumbs from the whole period to this scope, each with its label and URL."""
    steps = {"day": scope.day, "user": scope.user, "conversation": scope.conversation, "turn": scope.turn}
    taken = [(name, value) for name, value in steps.items() if value is not None]
    whole = scope.within(**dict.fromkeys(steps))
    found = [(f"{scope.since} to {scope.until}", address(whole))]
    for name, value in taken:
        whole = whole.within(**{name: value})
        found.append((called(name, value), address(whole)))
    return found


def called(name: str, value: Any) -> str:
    """Return the label of a user, conversation, day or turn, by its id."""
    if value == NOTHING:
        return f"Without a {name}"
    if name == "user":
        newest = DailyUsage.objects.filter(user=value).order_by("-day").values_list("username", flat=True)
        return newest.first() or str(value)
    if name == "conversation":
        return titles_of([value]).get(value, f"{value} (deleted)")
    return str(value) if name == "day" else f"Turn {value}"


def _below(scope: Scope) -> str:
    if scope.turn is not None:
        return "request"
    if scope.conversation is not None:
        return "turn"
    if len(scope.days) > 1:
        return "day"
    return "user" if scope.user is None else "conversation"


def _grouped(rows: QuerySet[Model], key: str, **more: Aggregate) -> ValuesRows:
    return rows.order_by().values(key).annotate(**summed(rows), **more)


def _days(scope: Scope) -> ValuesRows:
    rows = scope.daily() if scope.conversation is None else scope.daily_conversations()
    return _grouped(rows, "day").order_by("-day")


def _show_days(scope: Scope, found: list[ValuesRow]) -> Iterable[Row]:
    return [_row_of_day(scope, each["day"], Sums.of_row(each)) for each in found]


def _row_of_day(scope: Scope, day: date, sums: Sums) -> Row:
    of_day = scope.within(day=day)
    return Row(day.isoformat(), sums, address(of_day), f"{day:%A}", changes=changes(of_day))


def _users(scope: Scope) -> ValuesRows:
    return _grouped(scope.summable(), "user", name=Max("username")).order_by("-sum_cost", "user")


def _show_users(scope: Scope, found: list[ValuesRow]) -> Iterable[Row]:
    spent_on = _models_of(scope, [each["user"] for each in found])
    for each in found:
        url = address(scope.within(user=each["user"] or NOTHING))
        yield Row(each["name"], Sums.of_row(each), url, ", ".join(spent_on[each["user"]]))


def _models_of(scope: Scope, users: list[uuid.UUID | None]) -> dict[uuid.UUID | None, list[str]]:
    """Return the most expensive models of each user with their costs, as text."""
    spent: dict[uuid.UUID | None, list[str]] = {user: [] for user in users}
    rows = scope.summable().filter(Q(user__in=[user for user in users if user]) | Q(user__isnull=True))
    for each in rows.order_by().values("user", "model").annotate(cost=Sum("cost")).order_by("-cost", "model"):
        if each["user"] in spent and each["cost"] and len(spent[each["user"]]) < MODELS:
            spent[each["user"]].append(f"{each['model']} ${each['cost']:,.2f}")
    return spent


def _users_and_models(scope: Scope) -> ValuesRows:
    rows = scope.summable()
    pairs = rows.order_by().values("user", "model").annotate(**summed(rows), name=Max("username"))
    return pairs.order_by("-sum_cost", "user", "model")


def _show_users_and_models(scope: Scope, found: list[ValuesRow]) -> Iterable[Row]:
    for each in found:
        narrower = scope.within(user=each["user"] or NOTHING, model=each["model"])
        yield Row(each["name"], Sums.of_row(each), address(narrower), each["model"])


def _models(scope: Scope) -> ValuesRows:
    return _grouped(scope.summable(), "model").order_by("-sum_cost", "model")


def _show_models(scope: Scope, found: list[ValuesRow]) -> Iterable[Row]:
    for each in found:
        yield Row(each["model"], Sums.of_row(each), address(scope.within(model=each["model"])))


def _conversations(scope: Scope) -> ValuesRows:
    return _grouped(scope.by_conversation(), "conversation", name=Max("username")).order_by("-sum_cost", "conversation")


def _show_conversations(scope: Scope, found: list[ValuesRow]) -> Iterable[Row]:
    titles = titles_of(each["conversation"] for each in found)
    for each in found:
        id = each["conversation"]
        label = titles.get(id, f"{id} (deleted)") if id else "Without a conversation"
        yield Row(label, Sums.of_row(each), address(scope.within(conversation=id or NOTHING)), each["name"])


def titles_of(ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """Return the titles of existing conversations by their ids."""
    found = Conversation.objects.filter(pk__in=[id for id in ids if id]).only("id", "title")
    return {each.pk: str(each) for each in found}


def _turns(scope: Scope) -> ValuesRows:
    return _grouped(scope.rows(), "turn", at=Min("created_at"), kind=Min("purpose")).order_by("at", "turn")


def _show_turns(scope: Scope, found: list[ValuesRow]) -> Iterable[Row]:
    there = Turn.objects.filter(pk__in=[each["turn"] for each in found if each["turn"]])
    statuses = dict(there.values_list("pk", "status"))
    for each in found:
        id = each["turn"]
        label = f"Turn {id}" if id else f"Without a turn ({each['kind']})"
        note = f"{clock(each['at'])}, {statuses.get(id, 'deleted')}" if id else ""
        yield Row(label, Sums.of_row(each), address(scope.within(turn=id or NOTHING)), note)


def _requests(scope: Scope) -> QuerySet[Usage]:
    return scope.rows().defer("raw", "prices").order_by("created_at", "pk")


def _show_requests(scope: Scope, found: list[Usage]) -> Iterable[Row]:
    for row in found:
        kind = f"{row.purpose}, {row.source}" + (", correction" if row.corrects_id else "")
        note = f"{clock(row.created_at)}, {kind}, {row.error_type or row.stop_reason or 'cut'}"
        sums = Sums(
            requests=row.requests,
            **{name: getattr(row, name) for name in CLASSES},
            cost=row.cost or Decimal(0),
            unpriced=row.requests if row.cost is None else 0,
        )
        yield Row(row.request_id or str(row.pk), sums, reverse("admin:conversations_usage_change", args=[row.pk]), note)


def clock(at: datetime) -> str:
    """Return the time of day in UTC."""
    return f"{at:%H:%M:%S}"


LEVELS: dict[str, Level[Any]] = {
    level.name: level
    for level in (
        Level("day", "Days", _days, _show_days),
        Level("user", "Users", _users, _show_users),
        Level("model", "Models", _models, _show_models),
        Level("user-model", "Users and models", _users_and_models, _show_users_and_models, ("user", "model")),
        Level("conversation", "Conversations", _conversations, _show_conversations),
        Level("turn", "Turns", _turns, _show_turns),
        Level("request", "Requests", _requests, _show_requests),
    )
}
