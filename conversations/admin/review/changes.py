"""Comparing the parts of a period with an earlier one, the largest differences first, with their reasons."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeAlias

from django.db.models import DecimalField, F, Max, Model, Q, QuerySet, Sum, Value
from django.db.models.functions import Abs, Coalesce

from conversations.admin.review import levels
from conversations.admin.review.effects import Effects, effects
from conversations.admin.review.scope import NOTHING, Scope
from conversations.admin.review.totals import Sums, ValuesRow, ValuesRows, summed

WEEK = timedelta(days=7)
BEFORE, WEEK_BEFORE = "before", "week"
"""The periods with which a period can be compared: the one just before it, or the same days a week before."""

PAGE = 100
"""The number of rows that are shown."""

Key: TypeAlias = tuple[uuid.UUID | str | None, ...]
"""The values of a division's columns."""


@dataclass(frozen=True)
class Division:
    """A way to divide a comparison into rows: by some columns of the daily sums."""

    name: str
    heading: str
    columns: tuple[str, ...]
    called: tuple[str, ...]
    """The headings of a row's label, and of its note where it has one."""


DIVISIONS = {
    each.name: each
    for each in (
        Division("user-model", "Users and models", ("user", "model"), ("User", "Model")),
        Division("user", "Users", ("user",), ("User",)),
        Division("model", "Models", ("model",), ("Model",)),
        Division("conversation", "Conversations", ("conversation",), ("Conversation", "User")),
    )
}


@dataclass(frozen=True)
class Change:
    """The costs of a part of a scope in a period and in the earlier one."""

    label: str
    note: str
    now: Sums
    before: Sums
    why: Effects
    url: str = ""
    """The URL of the page with the details."""

    @property
    def difference(self) -> Decimal:
        """Return the increase in US dollars."""
        return self.now.cost - self.before.cost


@dataclass(frozen=True)
class Comparison:
    """A scope and an earlier period with the same filters, divided in one way."""

    scope: Scope
    before: Scope
    division: Division
    against: str = BEFORE

    @property
    def whole(self) -> Change:
        """Return the change of the whole scope."""
        now, before = (_by_model(rows) for rows in self._periods())
        return _change("", "", before, now)

    def largest(self, size: int = PAGE) -> list[Change]:
        """Return the changes of the parts with the largest differences, the largest first."""
        found = list(self._ranked()[:size])
        among = Q()
        for column in self.division.columns:
            values = [row[column] for row in found]
            known = Q(**{f"{column}__in": [value for value in values if value is not None]})
            among &= known | Q(**{f"{column}__isnull": True}) if None in values else known
        return self._changes(found, among)

    def all(self) -> list[Change]:
        """Return the changes of all parts, the largest difference first."""
        return self._changes(list(self._ranked()), Q())

    def _changes(self, found: list[ValuesRow], among: Q) -> list[Change]:
        if not found:
            return []
        now, before = (_by_key(rows.filter(among), self.division) for rows in self._periods())
        keys = [self._key(row) for row in found]
        titles = levels.titles_of(row["conversation"] for row in found if "conversation" in row)
        named = [(*self._named(row, titles), self._url(row)) for row in found]
        return [
            _change(label, note, before[key], now[key], url)
            for key, (label, note, url) in zip(keys, named, strict=True)
        ]

    def _key(self, row: ValuesRow) -> Key:
        return tuple(row[column] for column in self.division.columns)

    def _rows(self) -> QuerySet[Model]:
        """Return the smallest set of rows with the sums of both periods and the time between them."""
        both = self.scope.within(day=None, since=self.before.span[0], until=self.scope.span[1])
        if "conversation" in self.division.columns or self.scope.conversation is not None:
            return both.within(turn=None, error="").daily_conversations().order_by()
        return both.daily().order_by()

    def _periods(self) -> tuple[QuerySet[Model], QuerySet[Model]]:
        rows = self._rows()
        return rows.filter(day__range=self.scope.span), rows.filter(day__range=self.before.span)

    def _ranked(self) -> ValuesRows:
        now, then = Q(day__range=self.scope.span), Q(day__range=self.before.span)
        rows = self._rows().filter(now | then).values(*self.division.columns)
        found = rows.annotate(name=Max("username"), now=_cost(now), before=_cost(then))
        return found.order_by(Abs(F("now") - F("before")).desc(), *self.division.columns)

    def _named(self, row: ValuesRow, titles: Mapping[uuid.UUID, str]) -> tuple[str, str]:
        if self.division.name == "conversation":
            id = row["conversation"]
            return (titles.get(id, f"{id} (deleted)") if id else "Without a conversation"), row["name"]
        if self.division.name == "model":
            return row["model"], ""
        return row["name"], row.get("model", "")

    def _url(self, row: ValuesRow) -> str:
        """Return the URL at which the row is divided further: a conversation into its turns, a model into users."""
        narrower = self.scope.within(**{column: row[column] or NOTHING for column in self.division.columns})
        if self.division.name == "conversation":
            return levels.address(narrower)
        below = "user" if self.division.name == "model" else "conversation"
        return address(narrower, self.against, below)


def address(scope: Scope, against: str = "", by: str = "") -> str:
    """Return the URL of the comparison of a scope with an earlier period."""
    named = {"against": against, "by": by}
    return levels.changes(scope) + "".join(f"&{name}={value}" for name, value in named.items() if value)


def possible_comparisons(scope: Scope) -> dict[str, str]:
    """Return the periods with which a scope can be compared, with their labels: periods do not overlap."""
    called = {BEFORE: "The day before" if len(scope.days) == 1 else "The period before"}
    if len(scope.days) <= WEEK.days:
        called[WEEK_BEFORE] = "The same day a week before" if len(scope.days) == 1 else "The same days a week before"
    return called


def earlier(scope: Scope, against: str) -> Scope:
    """Return the scope of the earlier period; an impossible choice is replaced by the period just before."""
    return scope.shifted(WEEK) if against == WEEK_BEFORE and against in possible_comparisons(scope) else scope.before


def possible_divisions(scope: Scope) -> list[Division]:
    """Return the ways to divide a scope: the daily sums of conversations do not distinguish errors."""
    whole = scope.conversation is None and not scope.error
    return [each for each in DIVISIONS.values() if whole or each.name != "conversation"]


def comparison(scope: Scope, against: str = "", by: str = "") -> Comparison:
    """Return the comparison of a scope; impossible choices are replaced by the defaults."""
    divisions = {each.name: each for each in possible_divisions(scope)}
    against = against if against in possible_comparisons(scope) else BEFORE
    return Comparison(scope, earlier(scope, against), divisions.get(by, DIVISIONS["user-model"]), against)


def is_not_over(scope: Scope, today: date) -> bool:
    """Return whether the last day of a scope is not over, while those of the earlier period are."""
    return scope.span[0] <= today <= scope.span[1]


def _cost(period: Q) -> Coalesce:
    nothing = Value(Decimal(0), output_field=DecimalField(max_digits=24, decimal_places=12))
    return Coalesce(Sum("cost", filter=period), nothing)


def _by_model(rows: QuerySet[Model]) -> dict[str, Sums]:
    return {row["model"]: Sums.of_row(row) for row in rows.values("model").annotate(**summed(rows))}


def _by_key(rows: QuerySet[Model], division: Division) -> defaultdict[Key, dict[str, Sums]]:
    """Return the sums of a division's parts, each by model."""
    columns = dict.fromkeys((*division.columns, "model"))
    found: defaultdict[Key, dict[str, Sums]] = defaultdict(dict)
    for row in rows.values(*columns).annotate(**summed(rows)):
        found[tuple(row[column] for column in division.columns)][row["model"]] = Sums.of_row(row)
    return found


def _change(label: str, note: str, before: Mapping[str, Sums], now: Mapping[str, Sums], url: str = "") -> Change:
    return Change(label, note, _whole(now.values()), _whole(before.values()), effects(before, now), url)


def _whole(parts: Iterable[Sums]) -> Sums:
    return sum(parts, Sums())
