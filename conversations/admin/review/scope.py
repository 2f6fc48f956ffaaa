"""What of the ledger is looked at: a period, and filters; further down a day, a user, a conversation, a turn."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from conversations.models import DailyConversation, DailyUsage, Usage, User

DAY = timedelta(days=1)
PERIOD = 30 * DAY
LONGEST = 366 * DAY
NOTHING = "none"
"""In the place of an id: of what is of no user, conversation or turn."""

FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
CENTURY = (MinValueValidator(FIRST), MaxValueValidator(LAST))

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


class ScopeForm(forms.Form):
    """The filters of the review's pages. What is not given, or not valid, is as it is by default."""

    user = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget, help_text="A name.")
    group = forms.ModelChoiceField(Group.objects.order_by("name"), required=False, widget=UnfoldAdminSelectWidget)
    model = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    source = forms.ChoiceField(required=False, choices=Usage.Source, widget=UnfoldAdminSelectWidget)
    purpose = forms.ChoiceField(required=False, choices=Usage.Purpose, widget=UnfoldAdminSelectWidget)
    day = forms.DateField(required=False, widget=forms.HiddenInput, validators=CENTURY)
    conversation = forms.CharField(required=False, widget=forms.HiddenInput)
    turn = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, parameters: QueryDict) -> None:
        super().__init__(_completed(parameters))
        period = {
            name: forms.DateField(widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}), validators=CENTURY)
            for name in ("from", "to")
        }
        self.fields = {**period, **self.fields}
        self._choices("model", [(name, name) for name in models_used()])
        self._choices("source", Usage.Source.choices)
        self._choices("purpose", Usage.Purpose.choices)

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Any"), *choices]

    def clean_user(self) -> Id:
        """The id of a user by their name, who may be gone, or the id itself."""
        given: str = self.cleaned_data["user"].strip()
        if not given or given == NOTHING:
            return given or None
        if (id := as_id(given)) is not None:
            return id
        found = User.objects.filter(username=given).values_list("pk", flat=True).first()
        found = found or DailyUsage.objects.filter(username=given).values_list("user", flat=True).first()
        if found is None:
            raise forms.ValidationError("There is no such user.")
        return found

    def clean_conversation(self) -> Id:
        """An id, or none at all."""
        return self._id("conversation")

    def clean_turn(self) -> Id:
        """An id, or none at all."""
        return self._id("turn")

    def _id(self, name: str) -> Id:
        given: str = self.cleaned_data[name]
        return given or None if given in ("", NOTHING) else as_id(given) or NOTHING

    def clean(self) -> dict[str, Any]:
        """The period, its end not before its beginning and its length what a page can show."""
        since, until = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if since and until and since > until:
            self.add_error("to", "This is before the beginning.")
        elif since and until and until - since >= LONGEST:
            self.add_error("from", f"A period has at most {LONGEST.days} days.")
        return self.cleaned_data

    @property
    def scope(self) -> Scope:
        """What the filters say. With one that says nothing that there is, there is nothing."""
        if not self.is_valid():
            today = datetime.now(UTC).date()
            return Scope(today, today, user=NOTHING, conversation=NOTHING, turn=NOTHING)
        named = {name: value for name, value in self.cleaned_data.items() if name not in ("from", "to")}
        return Scope(self.cleaned_data["from"], self.cleaned_data["to"], **named)


def _completed(parameters: QueryDict) -> QueryDict:
    """With the period that is meant where none is named, and the name of the user: links have ids, people names."""
    completed = parameters.copy()
    until = _day(completed.get("to", "")) or datetime.now(UTC).date()
    for name, value in (("from", until - PERIOD + DAY), ("to", until)):
        if not completed.get(name):
            completed[name] = value.isoformat()
    id = as_id(completed.get("user", ""))
    user = User.objects.filter(pk=id).first() if id else None
    if user is not None:  # who is gone has no name that is theirs alone
        completed["user"] = user.username
    return completed


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST <= day <= LAST else None


def as_id(text: str) -> uuid.UUID | None:
    """The id that a text is."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


# From each to the next in the index: there are many rows, and few models.
MODELS = """
WITH RECURSIVE used(model) AS (
    SELECT min(model) FROM conversations_dailyusage
    UNION ALL
    SELECT (SELECT min(model) FROM conversations_dailyusage WHERE model > used.model) FROM used
    WHERE used.model IS NOT NULL
)
SELECT model FROM used WHERE model IS NOT NULL
"""


def models_used() -> list[str]:
    """The models that anything was ever booked for."""
    with connection.cursor() as cursor:
        cursor.execute(MODELS)
        return [model for (model,) in cursor]
