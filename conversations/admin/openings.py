"""Who of the staff has looked at what."""

from __future__ import annotations

from django.contrib import admin

from conversations.admin.readonly import ReadOnlyAdmin
from conversations.models import Opening


@admin.register(Opening)
class OpeningAdmin(ReadOnlyAdmin):
    """Each time that somebody opened what is another's; its owner sees it too."""

    list_display = ("created_at", "staff", "owner", "kind", "object")
    list_filter = ("kind", "created_at")
    list_select_related = ("owner",)
    search_fields = ("staff", "owner__username", "object")
