"""The admin's pages of shares."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from conversations.admin.readonly import ReadOnlyAdmin
from conversations.models import Share
from conversations.services.accounts import shares


def reached(share: Share) -> str:
    """Return the name of the user or the group of a share."""
    return f"group {share.group.name}" if share.group else share.user.username if share.user else ""


@admin.register(Share)
class ShareAdmin(ReadOnlyAdmin):
    """Shares, which can be viewed and deleted."""

    list_display = ("created_at", "owner", "whom", "role", "conversation_id")
    list_filter = ("role", "created_at")
    list_select_related = ("conversation__owner", "user", "group")
    found_by_id = ("pk", "conversation_id")
    found_by_user = "user"
    search_help_text = "Search for the whole id of a share or a conversation, or a whole user name."
    fields = ("conversation", "owner", "whom", "role", "created_at", "id")
    readonly_fields = fields

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return whether the user may delete shares, by Django's permission for it."""
        return request.user.has_perm("conversations.delete_share")

    def delete_model(self, request: HttpRequest, obj: Share) -> None:
        """End a share, and close what is open by it."""
        shares.remove(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Share]) -> None:
        """End shares, and close what is open by them."""
        for each in queryset:
            shares.remove(each)

    @admin.display(description="owner")
    def owner(self, share: Share) -> str:
        """Return the name of the conversation's owner."""
        return share.conversation.owner_name

    @admin.display(description="shared with")
    def whom(self, share: Share) -> str:
        """Return the user or the group."""
        return reached(share)
