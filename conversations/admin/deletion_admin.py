"""The admin's pages of deletions and of retention."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from conversations.admin.lookups import DeclaredLookups
from conversations.admin.readonly import ReadOnlyAdmin
from conversations.models import Deletion, Retention


def listed(erased: dict[str, int]) -> str:
    """Return the kinds of a report with their counts, as text."""
    return ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in erased.items()) or "nothing"


@admin.register(Deletion)
class DeletionAdmin(ReadOnlyAdmin):
    """Reports of deletions: kinds and counts."""

    list_display = ("created_at", "kind", "cause", "owner", "went", "finished_at")
    list_filter = ("kind", "cause", "created_at")
    list_select_related = ("owner",)
    found_by_text = ("pseudonym",)
    found_by_user = "owner"
    search_help_text = "Search for a whole id, user name or pseudonym."
    fields = ("kind", "cause", "owner", "pseudonym", "went", "created_at", "finished_at", "id")
    readonly_fields = fields

    @admin.display(description="what went")
    def went(self, report: Deletion) -> str:
        """Return the number of deleted objects by kind."""
        return listed(report.erased)


@admin.register(Retention)
class RetentionAdmin(DeclaredLookups):
    """The retention of conversations of users and of groups' members; the days can be edited in the list."""

    fields = ("user", "group", "days")
    list_display = ("__str__", "days")
    list_editable = ("days",)
    list_select_related = ("user", "group")
    search_fields = ("user__username", "group__name")
    autocomplete_fields = ("user", "group")

    def get_readonly_fields(self, request: HttpRequest, obj: Retention | None = None) -> Any:
        """Return the user and the group of an existing rule: others get a rule of their own."""
        return ("user", "group") if obj else ()
