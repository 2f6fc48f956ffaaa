"""The admin's pages of what was deleted, and of how long conversations are kept."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from conversations.admin.lookups import DeclaredLookups
from conversations.admin.readonly import ReadOnlyAdmin
from conversations.models import Deletion, Retention


def listed(erased: dict[str, int]) -> str:
    """Return the kinds of a report with their counts, in words."""
    return ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in erased.items()) or "nothing"


@admin.register(Deletion)
class DeletionAdmin(ReadOnlyAdmin):
    """Reports of what was deleted: kinds and counts."""

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
        """Return how many of each kind went."""
        return listed(report.erased)


@admin.register(Retention)
class RetentionAdmin(DeclaredLookups):
    """How long the conversations of users and of groups' members are kept; the days can be changed in the list."""

    fields = ("user", "group", "days")
    list_display = ("__str__", "days")
    list_editable = ("days",)
    list_select_related = ("user", "group")
    search_fields = ("user__username", "group__name")
    autocomplete_fields = ("user", "group")

    def get_readonly_fields(self, request: HttpRequest, obj: Retention | None = None) -> Any:
        """Return whose rule it is for one that exists: for somebody else there is another one."""
        return ("user", "group") if obj else ()
