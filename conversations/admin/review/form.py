"""The filters of the review's pages, as people give them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection
from django.http import QueryDict
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from conversations.admin.review.scope import DAY, LONGEST, NOTHING, Id, Scope, as_id
from conversations.models import DailyUsage, Usage, User

PERIOD = 30 * DAY
FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
CENTURY = (MinValueValidator(FIRST), MaxValueValidator(LAST))


class ScopeForm(forms.Form):
    """The filters of the review's pages. What is not given is as it is by default."""

    user = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget, help_text="A name.")
    group = forms.ModelChoiceField(
        Group.objects.order_by("name"), required=False, widget=UnfoldAdminSelectWidget, empty_label="Any"
    )
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
