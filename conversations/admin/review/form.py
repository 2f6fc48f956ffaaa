"""The form of the review pages' filters."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django import forms
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection
from django.http import QueryDict
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from conversations.admin.review.scope import ANY, DAY, LONGEST, NOTHING, REASON, Id, Scope, as_id
from conversations.models import DailyUsage, Turn, Usage, User

PERIOD = 30 * DAY
FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
CENTURY = (MinValueValidator(FIRST), MaxValueValidator(LAST))


class ScopeForm(forms.Form):
    """The filters of the review pages. Missing ones have defaults."""

    user = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget, help_text="A name.")
    group = forms.ModelChoiceField(
        Group.objects.order_by("name"), required=False, widget=UnfoldAdminSelectWidget, empty_label="Any"
    )
    model = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    source = forms.ChoiceField(required=False, choices=Usage.Source, widget=UnfoldAdminSelectWidget)
    purpose = forms.ChoiceField(required=False, choices=Usage.Purpose, widget=UnfoldAdminSelectWidget)
    error = forms.CharField(required=False, max_length=100, help_text="Why requests or turns failed.")
    day = forms.DateField(required=False, widget=forms.HiddenInput, validators=CENTURY)
    conversation = forms.CharField(required=False, widget=forms.HiddenInput)
    turn = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, parameters: QueryDict) -> None:
        super().__init__(_completed(parameters))
        period = {name: forms.DateField(widget=_date_input(), validators=CENTURY) for name in ("from", "to")}
        self.fields = {**period, **self.fields}
        if self.data.get("day"):  # one day of the period: shown as a field that can be changed or removed
            self.fields["day"].widget = _date_input()
        self._choices("model", [(name, name) for name in models_used()])
        self._choices("source", Usage.Source.choices)
        self._choices("purpose", Usage.Purpose.choices)
        # Not a choice field: a link may have an error that has not occurred for a long time.
        errors = sorted({*errors_used(), *reasons_used(), self.data.get("error", "")} - {"", ANY})
        named = [("", "Whether it failed or not"), (ANY, "All failures"), *((each, each) for each in errors)]
        self.fields["error"].widget = UnfoldAdminSelectWidget(choices=named)

    def hide(self, *names: str) -> None:
        """Hide fields that do not apply; links keep their values."""
        for name in names:
            self.fields[name].widget = forms.HiddenInput()

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Any"), *choices]

    def clean_user(self) -> Id:
        """Return the id of the user, given by name or id; the user may have been deleted."""
        given: str = self.cleaned_data["user"].strip()
        if not given or given == NOTHING:
            return given or None
        if (id := as_id(given)) is not None:
            return id
        found = User.objects.filter(username=given).values_list("pk", flat=True).first()
        found = found or DailyUsage.objects.filter(username=given).values_list("user", flat=True).first()
        if found is None:
            raise forms.ValidationError(f"There is no user with the name or id {given[:100]}.")
        return found

    def clean_conversation(self) -> Id:
        """Return the conversation's id, or None."""
        return self._id("conversation")

    def clean_turn(self) -> Id:
        """Return the turn's id, or None."""
        return self._id("turn")

    def _id(self, name: str) -> Id:
        given: str = self.cleaned_data[name]
        return given or None if given in ("", NOTHING) else as_id(given) or NOTHING

    def clean(self) -> dict[str, object]:
        """Check the period: it must not end before it begins, nor be longer than a page can show."""
        since, until = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if since and until and since > until:
            self.add_error("to", "The last day must not be before the first.")
        elif since and until and until - since >= LONGEST:
            self.add_error("from", f"A period may have at most {LONGEST.days} days.")
        return self.cleaned_data

    @property
    def scope(self) -> Scope:
        """Return the scope that the filters describe; an empty one if a filter refers to a missing object."""
        if not self.is_valid():
            today = datetime.now(UTC).date()
            return Scope(today, today, user=NOTHING, conversation=NOTHING, turn=NOTHING)
        named = {name: value for name, value in self.cleaned_data.items() if name not in ("from", "to")}
        return Scope(self.cleaned_data["from"], self.cleaned_data["to"], **named)


def _date_input() -> forms.Widget:
    return UnfoldAdminTextInputWidget(attrs={"type": "date"})


def _completed(parameters: QueryDict) -> QueryDict:
    """Return the parameters with the default period, and with names in place of users' ids, which links have."""
    completed = parameters.copy()
    until = _day(completed.get("to", "")) or datetime.now(UTC).date()
    for name, value in (("from", until - PERIOD + DAY), ("to", until)):
        if not completed.get(name):
            completed[name] = value.isoformat()
    id = as_id(completed.get("user", ""))
    user = User.objects.filter(pk=id).first() if id else None
    if user is not None:  # names of deleted users are not unique
        completed["user"] = user.username
    return completed


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST <= day <= LAST else None


# A loose index scan, from each value to the next: there are many rows, and few values.
USED = """
WITH RECURSIVE used(value) AS (
    SELECT min({column}) FROM conversations_dailyusage WHERE {column} <> ''
    UNION ALL
    SELECT (SELECT min({column}) FROM conversations_dailyusage WHERE {column} > used.value AND {column} <> '') FROM used
    WHERE used.value IS NOT NULL
)
SELECT value FROM used WHERE value IS NOT NULL
"""
NEWEST = 1000


def models_used() -> list[str]:
    """Return the models of all bookings."""
    return _used("model")


def errors_used() -> list[str]:
    """Return the types of errors of booked requests."""
    return _used("error_type")


def _used(column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(USED.format(column=column))
        return [value for (value,) in cursor]


def reasons_used() -> set[str]:
    """Return the error types of the newest failed turns."""
    newest = Turn.objects.filter(status__in=Turn.UNSUCCESSFUL).annotate(reason=REASON).order_by("-finished_at")
    return set(newest.values_list("reason", flat=True)[:NEWEST])
