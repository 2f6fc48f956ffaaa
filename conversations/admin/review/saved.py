"""Saved filters of the review pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from django import forms
from django.http import Http404, HttpRequest, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from conversations.admin.review import changes, levels, presets
from conversations.admin.review.form import ScopeForm
from conversations.admin.review.scope import Scope
from conversations.models import SavedFilter, User
from conversations.services.saved_filters import Filters

PAGES = {
    SavedFilter.Page.DASHBOARD: "admin:index",
    SavedFilter.Page.REVIEW: "admin:conversations_usage_review",
    SavedFilter.Page.CHANGES: "admin:conversations_usage_changes",
}
KEPT = {
    "by": {*levels.LEVELS, *changes.DIVISIONS},
    "against": {changes.BEFORE, changes.WEEK_BEFORE},
}
"""Other query parameters of a page, with the values that are saved."""
PERIOD = ("from", "to", "day")
FIXED = "Exactly these days"
LISTED = 30
"""The number of saved filters that a page lists."""


class SaveForm(forms.Form):
    """The form that saves the filters of a page."""

    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget)
    period = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    shared = forms.BooleanField(required=False, label="Offer it to all who may see the usage")
    page = forms.ChoiceField(choices=SavedFilter.Page, widget=forms.HiddenInput)
    query = forms.CharField(required=False, max_length=4000, widget=forms.HiddenInput)

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        moving = [(name, f"{period.called}, whenever it is opened") for name, period in presets.PERIODS.items()]
        cast(forms.ChoiceField, self.fields["period"]).choices = [("", FIXED), *moving]

    def clean_query(self) -> QueryDict:
        """Return the query parameters that the pages' own form accepts; others are dropped."""
        given = QueryDict(self.cleaned_data["query"])
        form = ScopeForm(given)
        if not form.is_valid():
            raise forms.ValidationError("The filters of this page name what does not exist.")
        kept = QueryDict(form.scope.query, mutable=True)
        for name, values in KEPT.items():
            if given.get(name) in values:
                kept[name] = str(given[name])
        return kept

    @property
    def filters(self) -> Filters:
        """Return the filters to store, of a valid form."""
        query, period = self.cleaned_data["query"], self.cleaned_data["period"]
        if period:
            for name in PERIOD:
                query.pop(name, None)
        return Filters(self.cleaned_data["page"], period, query.urlencode())


@dataclass(frozen=True)
class Choice:
    """A saved filter in a page's list."""

    name: str
    url: str
    by: str
    """The user who shares it; empty if it is the reader's own."""


def choices(user: User) -> list[Choice]:
    """Return the saved filters that a user can choose, their own first."""
    found = SavedFilter.objects.visible_to(user).select_related("owner")
    listed = sorted(found[:LISTED], key=lambda each: each.owner_id != user.pk)
    return [
        Choice(each.name, address(each), "" if each.owner_id == user.pk else each.owner.username) for each in listed
    ]


def form_for(page: str, scope: Scope, **kept: str) -> SaveForm:
    """Return the form that saves a page with its present filters; a period that is a preset keeps moving."""
    today = datetime.now(UTC).date()
    moving = [name for name, period in presets.PERIODS.items() if period.of(today) == scope.span]
    query = QueryDict(scope.query, mutable=True)
    query.update(kept)
    initial = {"page": page, "query": query.urlencode(), "period": moving[0] if moving else ""}
    return SaveForm(initial=initial, auto_id="save-%s")


def address(saved: SavedFilter) -> str:
    """Return the short URL of a saved filter."""
    return reverse("saved-filter", args=[saved.key])


def opened(request: HttpRequest, key: str) -> HttpResponseBase:
    """Redirect to the page that is saved under a key, if it is the user's or shared. Raise Http404."""
    visible = SavedFilter.objects.visible_to(cast(User, request.user))
    saved = visible.filter(key=key).first()
    if saved is None:
        raise Http404("There is no saved filter at this address, or its owner does not share it.")
    return HttpResponseRedirect(shown_at(saved))


def shown_at(saved: SavedFilter) -> str:
    """Return the URL of the page that a saved filter shows today."""
    query = QueryDict(saved.query, mutable=True)
    if saved.period in presets.PERIODS:
        since, until = presets.PERIODS[saved.period].of(datetime.now(UTC).date())
        query.update({"from": since.isoformat(), "to": until.isoformat()})
    return f"{reverse(PAGES[SavedFilter.Page(saved.page)])}?{query.urlencode()}"
