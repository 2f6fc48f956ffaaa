"""Conversations and messages."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from conversations.admin.readonly import ReadOnlyAdmin, pretty
from conversations.models import Attachment, Conversation, Message, Turn
from conversations.services import paths

SHOWN_MESSAGES = 100


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """Conversations, with their active path."""

    private = "owner"
    list_display = ("id", "title", "owner", "turns", "archived", "created_at", "updated_at")
    list_filter = ("archived", "created_at")
    list_select_related = ("owner",)
    search_fields = ("title", "owner__username", "id")
    heavy = ("settings", "metadata", "searchable")
    fields = (
        "id",
        "title",
        "owner",
        "archived",
        "created_at",
        "updated_at",
        "settings_shown",
        "metadata_shown",
        "path",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        """The rows with how many turns each has."""
        # Counted in a subquery: a join would have to group by columns of type json, which can't be compared.
        turns = Turn.objects.filter(conversation=OuterRef("pk")).order_by().values("conversation")
        return super().get_queryset(request).annotate(turn_count=Subquery(turns.annotate(n=Count("pk")).values("n")))

    @admin.display(description="turns")
    def turns(self, conversation: Conversation) -> int:
        """How many turns it has."""
        return int(conversation.turn_count or 0)  # type: ignore[attr-defined]

    @admin.display(description="settings")
    def settings_shown(self, conversation: Conversation) -> SafeString:
        """What Claude is asked with."""
        return pretty(conversation.settings)

    @admin.display(description="metadata")
    def metadata_shown(self, conversation: Conversation) -> SafeString:
        """The client's own."""
        return pretty(conversation.metadata)

    @admin.display(description="messages")
    def path(self, conversation: Conversation) -> SafeString:
        """The newest messages of the active path, escaped: what a model or a user wrote is nobody's HTML."""
        messages = paths.to_message(conversation.pk, conversation.active_leaf_id)
        left_out = max(0, len(messages) - SHOWN_MESSAGES)
        note = format_html("<p>{} earlier messages are not shown.</p>", left_out) if left_out else ""
        rows = ((message.role, message.text or kinds(message)) for message in messages[left_out:])
        body = "<p><strong>{}</strong></p><p style='white-space: pre-wrap'>{}</p>"
        return format_html("{}{}", note, format_html_join("", body, rows))


def kinds(message: Message) -> str:
    """What a message without text has in it."""
    return ", ".join(str(block.get("type")) for block in message.content)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Messages. The list has none of what they say: to read that, one has to open them."""

    private = "conversation.owner"
    list_display = ("id", "conversation", "role", "stop_reason", "created_at")
    list_filter = ("role", "stop_reason", "created_at")
    ordering = ("-id",)  # as the other lists; in a conversation it is the other way round
    search_fields = ("id", "conversation__id")
    heavy = ("content", "text", "searchable")
    fields = ("id", "conversation", "parent", "turn", "role", "stop_reason", "created_at", "text", "content_shown")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """The rows with the titles of their conversations."""
        rows = super().get_queryset(request)
        titles = rows.select_related("conversation").defer("conversation__settings", "conversation__metadata")
        return titles.defer("conversation__searchable", *self.heavy)

    @admin.display(description="content")
    def content_shown(self, message: Message) -> SafeString:
        """Claude's blocks."""
        return pretty(message.content)


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Attachments without their bytes."""

    private = "owner"
    list_display = ("id", "owner", "media_type", "size", "width", "height", "created_at")
    list_filter = ("media_type", "created_at")
    list_select_related = ("owner",)
    search_fields = ("sha256", "owner__username")
