"""The filters of the review's pages, in the admin's own lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from conversations.admin.review.form import ScopeForm
from conversations.models import Turn, Usage


class ScopeFilter(admin.ListFilter):
    """The ledger's filter. The default period is the last 30 days, except in a search."""

    title = "what is shown"
    template = "conversations/scope_filter.html"
    parameters = ("from", "to", *ScopeForm.base_fields)

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: type[Model], model_admin: ModelAdmin[Model]
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.form = ScopeForm(request.GET)
        self.used_parameters = {name: params.pop(name) for name in self.form.fields if name in params}
        self.looked_up = "q" in request.GET

    def has_output(self) -> bool:
        """Return True: there is always a form to show."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Return the names of the form's fields."""
        return list(self.form.fields)

    def choices(self, changelist: ChangeList) -> Iterator[Mapping[str, object]]:
        """Return no links: the template shows the form itself."""
        return iter(())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that the form selects, or all rows in a search."""
        return queryset if self.looked_up else self.named(queryset)

    def named(self, rows: QuerySet[Usage]) -> QuerySet[Usage]:
        """Return those of the rows that the form selects."""
        return self.form.scope.rows(rows)


class TurnScopeFilter(ScopeFilter):
    """The filter of turns: by the time of the question; with an error, by the time of the failure."""

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: type[Model], model_admin: ModelAdmin[Model]
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.form.hide("source", "purpose")

    def named(self, turns: QuerySet[Turn]) -> QuerySet[Turn]:  # type: ignore[override]
        """Return those of the turns that the form selects."""
        return self.form.scope.turns(turns)
