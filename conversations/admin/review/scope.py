"""The part of the ledger that is shown: a period and filters; in the drill-down a day, user, conversation or turn."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib.auth.models import Group
from django.db.models import F, Model, Q, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from conversations.models import DailyConversation, DailyUsage, Turn, Usage, User

ModelT = TypeVar("ModelT", bound=Model)

DAY = timedelta(days=1)
LONGEST = 366 * DAY
NOTHING = "none"
"""Stands for an id in the filter for rows without user, conversation or turn."""

ANY = "any"
"""Stands for a type of error in the filter for errors of any type."""

PLAIN = ("model", "source", "purpose")

Id = uuid.UUID | str | None

REASON = Coalesce(KeyTextTransform("type", "error"), F("status"), output_field=TextField())
"""Why a turn failed: the type of its error; `interrupted` where the platform stopped while it answered."""


@dataclass(frozen=True)
class Scope:
    """A filter of rows. None and empty values mean any."""

    since: date
    until: date
    """The last day, which is included."""
    day: date | None = None
    """The only day of the period to show, if it is set."""
    user: Id = None
    group: Group | None = None
    model: str = ""
    source: str = ""
    purpose: str = ""
    error: str = ""
    """The type of the error, or ANY; empty for no filter, which includes requests without an error."""
    conversation: Id = None
    turn: Id = None

    @property
    def days(self) -> list[date]:
        """Return every day of the period."""
        first, last = self.span
        return [first + n * DAY for n in range((last - first).days + 1)]

    @property
    def span(self) -> tuple[date, date]:
        """Return the first and the last day of the period."""
        return (self.day, self.day) if self.day else (self.since, self.until)

    def within(self, **narrower: Any) -> Scope:
        """Return the part of this scope that these filters select."""
        return replace(self, **narrower)

    @property
    def before(self) -> Scope:
        """Return the previous period of the same length; for the first days of a month, those of the month before."""
        first, last = self.span
        if first.day > 1 or first == last or (first.year, first.month) != (last.year, last.month):
            return self.shifted(last - first + DAY)
        end = first - DAY
        whole = (last + DAY).month != last.month
        return self.within(
            day=None, since=end.replace(day=1), until=end if whole else end.replace(day=min(last.day, end.day))
        )

    def shifted(self, back: timedelta) -> Scope:
        """Return the same days, so much earlier."""
        first, last = self.span
        return self.within(day=None, since=first - back, until=last - back)

    @property
    def query(self) -> str:
        """Return the scope as the query parameters of an address."""
        named = {
            "from": self.since,
            "to": self.until,
            "group": self.group.pk if self.group else None,
            **{name: getattr(self, name) for name in (*PLAIN, "error", "day", "user", "conversation", "turn")},
        }
        return urlencode({name: str(value) for name, value in named.items() if value})

    def daily(self) -> QuerySet[DailyUsage]:
        """Return the daily sums of users in the scope, which must name no conversation."""
        return self.daily_in(self.span)

    def daily_conversations(self) -> QuerySet[DailyConversation]:
        """Return the daily sums of conversations in the scope, which must name no turn and no error."""
        rows = DailyConversation.objects.filter(day__range=self.span)
        return self._of("conversation", self._filtered(rows))

    def rows(self, among: QuerySet[Usage] | None = None) -> QuerySet[Usage]:
        """Return the ledger's rows in the scope, out of all or of the given ones."""
        first, last = self.span
        rows = Usage.objects.all() if among is None else among
        rows = self._filtered(rows.filter(created_at__gte=_midnight(first), created_at__lt=_midnight(last + DAY)))
        return self._of("turn", self._of("conversation", rows))

    def summable(self) -> QuerySet[Model]:
        """Return the smallest set of rows (daily sums where possible) that add up to the scope."""
        return self.daily() if self.conversation is None and self.turn is None else self.by_conversation()

    def by_conversation(self) -> QuerySet[Model]:
        """Return the smallest set of rows that add up to the scope by conversation."""
        return self.rows() if self.turn is not None or self.error else self.daily_conversations()

    def daily_in(self, *spans: tuple[date, date]) -> QuerySet[DailyUsage]:
        """Return the daily sums of users that the filters select, in these spans of days instead of its own."""
        within = Q(day__in=())
        for span in spans:
            within |= Q(day__range=span)
        return self._filtered(DailyUsage.objects.filter(within))

    def by_day(self) -> QuerySet[Model]:
        """Return the smallest set of rows with a `day` and its sums, ignoring filters narrower than a conversation."""
        if self.conversation is None:
            return self.daily()
        return self.within(turn=None, error="").daily_conversations()

    def failed_turns(self, among: QuerySet[Turn] | None = None) -> QuerySet[Any]:
        """Return the turns that failed or were interrupted in its days, each with its `reason`.

        Requests that Claude never began to answer have no ledger row, only a failed turn. A turn has no source, and
        that of the scope is ignored.
        """
        first, last = self.span
        turns = Turn.objects.all() if among is None else among
        turns = turns.filter(status__in=Turn.UNSUCCESSFUL, finished_at__gte=_midnight(first))
        turns = self._of_turns(turns.filter(finished_at__lt=_midnight(last + DAY))).annotate(reason=REASON)
        return turns.filter(reason=self.error) if self.error not in ("", ANY) else turns

    def turns(self, among: QuerySet[Turn]) -> QuerySet[Turn]:
        """Return the turns that were asked in its days; with an error, those that failed in them."""
        if self.error:
            return self.failed_turns(among)
        first, last = self.span
        return self._of_turns(among.filter(created_at__gte=_midnight(first), created_at__lt=_midnight(last + DAY)))

    def _of_turns(self, turns: QuerySet[Turn]) -> QuerySet[Turn]:
        turns = self._of("user", self._of_group(turns))
        turns = turns.filter(model=self.model) if self.model else turns
        turns = turns.none() if self.purpose not in ("", Usage.Purpose.TURN) else turns
        turns = turns.filter(pk=self.turn) if isinstance(self.turn, uuid.UUID) else turns
        return self._of("conversation", turns)

    def _of_group(self, rows: QuerySet[ModelT]) -> QuerySet[ModelT]:
        if not self.group:
            return rows
        members = User.groups.through.objects.filter(group_id=self.group.pk)
        return rows.filter(user__in=members.values("user_id"))

    def _filtered(self, rows: QuerySet[ModelT]) -> QuerySet[ModelT]:
        plain = {name: getattr(self, name) for name in PLAIN}
        rows = self._of_group(rows).filter(**{name: value for name, value in plain.items() if value})
        if self.error:
            rows = rows.exclude(error_type="") if self.error == ANY else rows.filter(error_type=self.error)
        return self._of("user", rows)

    def _of(self, name: str, rows: QuerySet[ModelT]) -> QuerySet[ModelT]:
        value = getattr(self, name)
        if value is None:
            return rows
        return rows.filter(**({f"{name}__isnull": True} if value == NOTHING else {name: value}))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def as_id(text: str) -> uuid.UUID | None:
    """Return the id in a text."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
