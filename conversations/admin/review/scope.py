"""What of the ledger is looked at: a period, and filters; further down a day, a user, a conversation, a turn."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import Group
from django.db.models import QuerySet

from conversations.models import DailyConversation, DailyUsage, Usage, User

DAY = timedelta(days=1)
LONGEST = 366 * DAY
NOTHING = "none"
"""In the place of an id: of what is of no user, conversation or turn."""

PLAIN = ("model", "source", "purpose")

Id = uuid.UUID | str | None


@dataclass(frozen=True)
class Scope:
    """Which rows. None and empty are 'any'."""

    since: date
    until: date
    """The last day, which is included."""
    day: date | None = None
    """One day of the period, where only that is looked at."""
    user: Id = None
    group: Group | None = None
    model: str = ""
    source: str = ""
    purpose: str = ""
    conversation: Id = None
    turn: Id = None

    @property
    def days(self) -> list[date]:
        """Every day that is looked at."""
        first, last = self.span
        return [first + n * DAY for n in range((last - first).days + 1)]

    @property
    def span(self) -> tuple[date, date]:
        """The first and the last of the days that are looked at."""
        return (self.day, self.day) if self.day else (self.since, self.until)

    def within(self, **narrower: Any) -> Scope:
        """The part of it that these say."""
        return replace(self, **narrower)

    @property
    def query(self) -> str:
        """It as the parameters of an address."""
        named = {
            "from": self.since,
            "to": self.until,
            "group": self.group.pk if self.group else None,
            **{name: getattr(self, name) for name in (*PLAIN, "day", "user", "conversation", "turn")},
        }
        return urlencode({name: str(value) for name, value in named.items() if value})

    def daily(self) -> QuerySet[DailyUsage]:
        """The days of users in it, where no conversation is named."""
        return self._filtered(DailyUsage.objects.filter(day__range=self.span))

    def daily_conversations(self) -> QuerySet[DailyConversation]:
        """The days of conversations in it, where no turn is named."""
        rows = DailyConversation.objects.filter(day__range=self.span)
        return self._of("conversation", self._filtered(rows))

    def rows(self, among: QuerySet[Usage] | None = None) -> QuerySet[Usage]:
        """The rows of the ledger in it, or those of some rows."""
        first, last = self.span
        begin, end = (datetime.combine(day, time(), UTC) for day in (first, last + DAY))
        rows = Usage.objects.all() if among is None else among
        rows = self._filtered(rows.filter(created_at__gte=begin, created_at__lt=end))
        return self._of("turn", self._of("conversation", rows))

    def summable(self) -> QuerySet[Any]:
        """The fewest rows that have all of its sums."""
        if self.turn is not None:
            return self.rows()
        return self.daily() if self.conversation is None else self.daily_conversations()

    def _filtered(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.group:
            members = User.groups.through.objects.filter(group_id=self.group.pk)
            rows = rows.filter(user__in=members.values("user_id"))
        plain = {name: getattr(self, name) for name in PLAIN}
        rows = rows.filter(**{name: value for name, value in plain.items() if value})
        return self._of("user", rows)

    def _of(self, name: str, rows: QuerySet[Any]) -> QuerySet[Any]:
        value = getattr(self, name)
        if value is None:
            return rows
        return rows.filter(**({f"{name}__isnull": True} if value == NOTHING else {name: value}))


def as_id(text: str) -> uuid.UUID | None:
    """The id that a text is."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
