"""The access log: which staff users have opened which data."""

from __future__ import annotations

from django.contrib import admin

from conversations.admin.readonly import ReadOnlyAdmin
from conversations.models import Opening


@admin.register(Opening)
class OpeningAdmin(ReadOnlyAdmin):
    """Each time that somebody opened what is another's; its owner sees it too."""

    list_display = ("created_at", "staff", "owner", "kind", "object")
    list_filter = ("created_at",)
    list_select_related = ("owner",)
    found_by_text = ("staff", "object")
    found_by_user = "owner"
    search_help_text = "Search for a whole user name, or the whole id of what was opened."
