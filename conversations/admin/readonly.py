"""Base classes of the admin's pages: read-only, and lists that count no more rows than necessary."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from unfold.admin import TabularInline
from unfold.views import ChangeList

from conversations.admin.lookups import DeclaredLookups
from conversations.admin.review.form import models_used
from conversations.admin.review.scope import as_id
from conversations.models import User
from conversations.services.accounts import access_log

COUNTED = 10_000
"""The number of rows up to which a list is counted."""


class Forbidding:
    """A mixin that permits viewing only."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: nothing can be added."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: nothing can be changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: nothing can be deleted."""
        return False


class Pages(Paginator):  # type: ignore[type-arg]
    """A paginator that counts a limited number of rows."""

    object_list: QuerySet[Model]
    template_name = "conversations/pages.html"

    @cached_property
    def _found(self) -> int:
        return int(self.object_list[: COUNTED + 1].count())

    @cached_property
    def count(self) -> int:
        """Return the number of rows, COUNTED at most."""
        return min(self._found, COUNTED)

    @property
    def uncounted(self) -> bool:
        """Return whether there are more rows than that."""
        return self._found > COUNTED


class CountedChangeList(ChangeList):
    """A list that shows its number of rows once, below it, where it can say that there are more."""

    def get_results(self, request: HttpRequest) -> None:
        """Find the page's rows. The count at the top, without "more than", is hidden if both are equal."""
        super().get_results(request)
        self.full_result_count = self.result_count


class ReadOnlyAdmin(Forbidding, DeclaredLookups):
    """The read-only admin of a model; `heavy` columns are not loaded into its list."""

    heavy: tuple[str, ...] = ()
    private = ""
    """The path to the owner, in whose access log it is recorded when staff open a row; empty if rows have no owner."""
    found_by_id: tuple[str, ...] = ("pk",)
    found_by_text: tuple[str, ...] = ()
    found_by_user = ""
    """The columns that the search box looks up, each by an index, for an exact id, text or user name."""
    search_fields: Sequence[str] = ("pk",)
    search_help_text = "Search for a whole id or user name."
    ordering: Sequence[str] = ("-pk",)
    sortable_by = ()
    show_full_result_count = False
    list_per_page = 50
    paginator = Pages

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        """Return the class of its list."""
        return CountedChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows; for the list, without the columns in `heavy`."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        in_list = match is not None and str(match.url_name).endswith("_changelist")
        return rows.defer(*self.heavy) if in_list else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """Return the rows that have the term in one of the searched columns."""
        term = search_term.replace("\0", "").strip()
        return (queryset.filter(self.found_by(term)) if term else queryset), False

    def found_by(self, term: str) -> Q:
        """Return the condition for rows that match a search term."""
        found = Q(pk__in=())
        for name in self.found_by_text:
            found |= Q(**{name: term})
        if (id := as_id(term)) is not None:
            for name in self.found_by_id:
                found |= Q(**{name: id})
        if self.found_by_user and (user := User.objects.filter(username=term).first()):
            found |= Q(**{self.found_by_user: user})
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Answer with the page of one row, after recording the access in the access log."""
        found = self.get_object(request, object_id) if self.private else None
        if found is not None and self.has_view_permission(request, found):
            self.note_opening(request, found)
        return super().change_view(request, object_id, form_url, extra_context)

    def note_opening(self, request: HttpRequest, found: Model) -> None:
        """Record in the access log that the requesting user sees the private data of a row."""
        access_log.note_opening(staff=cast(User, request.user), owner=attrgetter(self.private)(found), opened=found)


class ReadOnlyInline(Forbidding, TabularInline):
    """Read-only rows of another model on a model's page."""

    extra = 0
    can_delete = False
    show_change_link = True


class ModelFilter(admin.SimpleListFilter):
    """A filter by the requested model; the choices are read from the ledger's daily sums."""

    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Model]) -> list[tuple[str, str]]:
        """Return the models that were ever used."""
        return [(name, name) for name in models_used()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """Return the rows of the chosen model."""
        return queryset.filter(model=self.value()) if self.value() else queryset
