"""What the admin's pages have in common: they show, and change nothing."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import Any, cast

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline

from conversations.models import User
from conversations.services import openings

PREVIEW = 120  # characters


class Forbidding:
    """Lets look, not touch."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False


class ReadOnlyAdmin(Forbidding, ModelAdmin):
    """A model's pages; `heavy` columns are not loaded into its list."""

    heavy: tuple[str, ...] = ()
    private = ""
    """Where it has the user whose it is, who is told when others of the staff open it; empty: it is nobody's."""
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows, without what only a single one's page shows."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        in_list = match is not None and str(match.url_name).endswith("_changelist")
        return rows.defer(*self.heavy) if in_list else rows

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """A single one's page. That it is opened is noted first."""
        found = self.get_object(request, object_id) if self.private else None
        if found is not None and self.has_view_permission(request, found):
            self.note_opening(request, found)
        return super().change_view(request, object_id, form_url, extra_context)

    def note_opening(self, request: HttpRequest, found: Model) -> None:
        """Notes that the user behind the request sees what is private in this."""
        openings.note(staff=cast(User, request.user), owner=attrgetter(self.private)(found), opened=found)


class ReadOnlyInline(Forbidding, TabularInline):
    """Rows of another model on a model's page."""

    extra = 0
    can_delete = False
    show_change_link = True


def pretty(value: object) -> SafeString:
    """JSON as it reads best, escaped."""
    return format_html("<pre style='white-space: pre-wrap'>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False))


def preview(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= PREVIEW else text[:PREVIEW] + "…"
