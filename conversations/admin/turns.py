"""Turns, with their messages and what they used."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from conversations.admin.readonly import ReadOnlyAdmin, ReadOnlyInline, pretty, preview
from conversations.models import Message, Turn, Usage


class MessageInline(ReadOnlyInline):
    """What the turn produced."""

    model = Message
    fields = ("role", "beginning", "stop_reason", "created_at")
    readonly_fields = fields

    @admin.display(description="text")
    def beginning(self, message: Message) -> str:
        """How it begins."""
        return preview(message.text)


class UsageInline(ReadOnlyInline):
    """Its upstream requests."""

    model = Usage
    fields = (
        "model",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cost",
        "source",
        "error_type",
        "request_id",
    )
    readonly_fields = fields


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    """Turns."""

    private = "user"
    list_display = ("id", "user", "status", "model", "stop_reason", "position", "created_at", "finished_at")
    list_filter = ("status", "stop_reason", "model", "created_at")
    list_select_related = ("user",)
    search_fields = ("id", "conversation__id", "user__username")
    heavy = ("settings", "stop_details", "error")
    inlines = (MessageInline, UsageInline)
    fields = (
        "id",
        "conversation",
        "user",
        "user_message",
        "status",
        "model",
        "stop_reason",
        "stop_sequence",
        "stop_details",
        "error",
        "position",
        "fence",
        "holder",
        "idempotency_key",
        "created_at",
        "started_at",
        "first_delta_at",
        "cancel_requested_at",
        "finished_at",
        "settings_shown",
    )
    readonly_fields = fields

    @admin.display(description="settings")
    def settings_shown(self, turn: Turn) -> SafeString:
        """What Claude was asked with."""
        return pretty(turn.settings)
