"""The look-ups that the admin's lists permit: those that their filters declare, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

# The query parameters of Django's filters on a column, by the column's name.
OF_A_COLUMN = ("", "__exact", "__isnull", "__gte", "__lt", "__id__exact", "__in")

UNANSWERABLE = (DisallowedModelAdminLookup, DataError, OverflowError)
"""The errors for undeclared look-ups, and for values that no column can hold."""


def could_be_id(model: type[Model], text: str) -> bool:
    """Return whether a text could be the id of a row: for others, the database would raise an error."""
    try:
        model._meta.pk.to_python(text)
    except ValidationError:
        return False
    return "\0" not in text


class CompletedChoice(AutocompleteSelect):
    """A choice of a row by completion. A text that can't be an id counts as no choice."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        """Return the chosen rows as options."""
        model = self.field.remote_field.model
        return super().optgroups(name, [each for each in value if could_be_id(model, str(each))], attr)


class DeclaredLookups(ModelAdmin):
    """A model's admin whose list can be filtered by `list_filter` only.

    Django allows any look-up of a model's own columns: a viewer of the list could find out the value of a hidden column
    by filtering and counting.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Return whether one of the list's filters uses this parameter."""
        return lookup in self._parameters(request)

    def _parameters(self, request: HttpRequest | None) -> Iterator[str]:
        for declared in self.get_list_filter(request):
            if isinstance(declared, str):
                yield from (declared + suffix for suffix in OF_A_COLUMN)
            else:
                yield from getattr(declared, "parameters", None) or (declared.parameter_name,)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row with this id, or None."""
        possible = from_field or could_be_id(self.model, object_id)
        return super().get_object(request, object_id, from_field) if possible else None

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any], request: HttpRequest, **options: Any) -> Any:
        """Return the form's field, with completion if it is declared."""
        if db_field.name in self.get_autocomplete_fields(request):
            options.setdefault("widget", CompletedChoice(db_field, self.admin_site, using=options.get("using")))
        return super().formfield_for_foreignkey(db_field, request, **options)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Model], *rest: object, **named: object) -> Any:
        """Act on the selected rows, or report malformed ids and do nothing."""
        if all(could_be_id(self.model, each) for each in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return super().response_action(request, queryset, *rest, **named)
        messages.warning(request, "The selected rows do not exist any more. Nothing was changed.")
        return HttpResponseRedirect(request.path)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search, after removing characters that no column can hold."""
        found: tuple[QuerySet[Model], bool] = super().get_search_results(
            request, queryset, search_term.replace("\0", "")
        )
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Answer with the list, or redirect to the unfiltered list if a filter is invalid."""
        try:
            return super().changelist_view(request, extra_context)
        except UNANSWERABLE:
            messages.warning(request, "The filter in the address is not valid for this list: all rows are shown.")
            return HttpResponseRedirect(request.path)
