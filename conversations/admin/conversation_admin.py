"""Conversations, messages and attachments."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.postgres.search import SearchQuery
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from conversations.admin import rendering
from conversations.admin.readonly import ReadOnlyAdmin
from conversations.admin.review import levels
from conversations.admin.review.scope import DAY, LONGEST, Scope, as_id
from conversations.admin.review.totals import Sums
from conversations.admin.share_admin import reached
from conversations.api.attachment_views import served
from conversations.models import Attachment, Conversation, DailyConversation, Deletion, Message, Turn
from conversations.services.deletion import deletion
from conversations.services.turns import message_paths, turn_queue
from conversations.templatetags.amounts import money

SHOWN_MESSAGES = 50
LOOSE_HYPHENS = re.compile(r"-+(?![^\s-])")
"""Hyphens that exclude no word. Postgres reads each as a negation, and fails with more than about 30 of them."""


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """Conversations, each with a path of its messages. Staff with the permission may delete them."""

    private = "owner"
    list_display = ("called", "owner", "turns", "place", "created_at", "updated_at")
    list_filter = ("archived", "created_at")
    list_select_related = ("owner",)
    found_by_user = "owner"
    search_help_text = "Search for a whole id or user name, or for words of a title."
    heavy = ("settings", "metadata", "searchable")
    fields = (
        "title",
        "owner",
        "place",
        "created_at",
        "updated_at",
        "spent",
        "shared_with",
        "messages_shown",
        "waiting",
        "settings_shown",
        "metadata_shown",
        "id",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        """Return the conversations, each with its number of turns."""
        # Counted in a subquery: a join would have to group by columns of type json, which can't be compared.
        turns = Turn.objects.filter(conversation=OuterRef("pk")).order_by().values("conversation")
        return super().get_queryset(request).annotate(turn_count=Subquery(turns.annotate(n=Count("pk")).values("n")))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Conversation | None:
        """Return the conversation, with the message up to which its path is to be shown: `leaf`, or the active leaf."""
        found: Conversation | None = super().get_object(request, object_id, from_field)
        if found is not None:
            found.shown_leaf = as_id(request.GET.get("leaf", "")) or found.active_leaf_id  # type: ignore[attr-defined]
        return found

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user has the permission to delete conversations."""
        return bool(request.user.has_perm("conversations.delete_conversation"))

    def get_deleted_objects(self, objs: Iterable[Conversation], request: HttpRequest) -> Any:
        """Return the numbers of rows that are deleted with conversations, without contents."""
        found = [each.pk for each in objs]
        messages = Message.objects.filter(conversation__in=found).count()
        return [str(id) for id in found], {"conversations": len(found), "messages": messages}, set(), []

    def delete_model(self, request: HttpRequest, obj: Conversation) -> None:
        """Delete a conversation, once this page's transaction is committed."""
        transaction.on_commit(partial(_delete, obj))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> None:
        """Delete conversations one by one."""
        for conversation in queryset:
            _delete(conversation)

    def found_by(self, term: str) -> Q:
        """Return the search condition over the words of titles."""
        words = SearchQuery(LOOSE_HYPHENS.sub(" ", term), config="simple", search_type="websearch")
        return super().found_by(term) | Q(searchable=words)

    @admin.display(description="title")
    def called(self, conversation: Conversation) -> str:
        """Return the title, or the id if there is none."""
        return str(conversation)

    @admin.display(description="list or archive")
    def place(self, conversation: Conversation) -> str:
        """Return in which of the owner's lists it is."""
        return "archive" if conversation.archived else "list"

    @admin.display(description="turns")
    def turns(self, conversation: Conversation) -> int:
        """Return the number of its turns."""
        return int(conversation.turn_count or 0)  # type: ignore[attr-defined]

    @admin.display(description="cost")
    def spent(self, conversation: Conversation) -> SafeString:
        """Return the cost of its requests, with a link to them."""
        daily = DailyConversation.objects.filter(conversation=conversation)
        sums, days = Sums.of(daily), daily.aggregate(first=Min("day"), last=Max("day"))
        if days["first"] is None:
            return SafeString("No requests yet")
        scope = Scope(max(days["first"], days["last"] - LONGEST + DAY), days["last"], conversation=conversation.pk)
        return format_html(
            '{}{} in <a href="{}">{} request{}</a>',
            money(sums.cost),
            f", and {sums.unpriced} of unknown price," if sums.unpriced else "",
            levels.address(scope),
            sums.requests,
            pluralize(sums.requests),
        )

    @admin.display(description="shared with")
    def shared_with(self, conversation: Conversation) -> SafeString:
        """Return the users and groups with whom it is shared, with links to the pages of the shares."""
        shares = conversation.shares.select_related("user", "group")
        links = (
            (reverse("admin:conversations_share_change", args=[each.pk]), reached(each), each.role) for each in shares
        )
        return format_html_join(", ", '<a href="{}">{} ({})</a>', links) or SafeString("Nobody")

    @admin.display(description="waiting")
    def waiting(self, conversation: Conversation) -> SafeString:
        """Render the questions of turns that wait for the active one, in the order in which they will begin."""
        questions = turn_queue.pending_in(conversation.pk).select_related("turn__user")
        return rendering.rendered_waiting(questions) or SafeString("Nothing")

    @admin.display(description="settings")
    def settings_shown(self, conversation: Conversation) -> SafeString:
        """Return the settings for requests to Claude, rendered as JSON."""
        return rendering.rendered_json(conversation.settings)

    @admin.display(description="metadata")
    def metadata_shown(self, conversation: Conversation) -> SafeString:
        """Return the client's metadata, rendered as JSON."""
        return rendering.rendered_json(conversation.metadata)

    @admin.display(description="messages")
    def messages_shown(self, conversation: Conversation) -> SafeString:
        """Render the newest messages of the path, with a link to those before them."""
        leaf: uuid.UUID | None = conversation.shown_leaf  # type: ignore[attr-defined]
        end = conversation.messages.filter(pk=leaf).only("depth").first() if leaf else None
        if end is None:
            return SafeString("<p>None.</p>")
        skip = max(0, end.depth + 1 - SHOWN_MESSAGES)
        shown = message_paths.page_of_path(conversation.pk, leaf, skip, SHOWN_MESSAGES).messages
        before = SafeString()
        if skip:
            url = reverse("admin:conversations_conversation_change", args=[conversation.pk])
            before = format_html('<p><a href="{}?leaf={}">{} before</a></p>', url, shown[0].parent_id, skip)
        return before + rendering.rendered_conversation(
            (
                each.role,
                reverse("admin:conversations_message_change", args=[each.id]),
                rendering.rendered_blocks(each.content),
            )
            for each in shown
        )


def _delete(conversation: Conversation) -> None:
    deletion.delete_conversation(user=conversation.owner, id=conversation.pk, cause=Deletion.Cause.STAFF)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Messages. The list does not show their contents: to read one, it has to be opened."""

    private = "conversation.owner"
    list_display = ("created_at", "conversation", "role", "stop_reason")
    list_filter = ("role", "created_at")
    found_by_id = ("pk", "conversation_id", "turn_id")
    search_help_text = "Search for the whole id of a message, a conversation or a turn."
    heavy = ("content", "text")
    fields = (
        "conversation",
        "parent",
        "turn",
        "role",
        "stop_reason",
        "created_at",
        "path",
        "said",
        "content_shown",
        "id",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Return the messages with the titles of their conversations."""
        rows = super().get_queryset(request)
        titles = rows.select_related("conversation").defer("conversation__settings", "conversation__metadata")
        return titles.defer("conversation__searchable", *self.heavy)

    @admin.display(description="what it says")
    def said(self, message: Message) -> SafeString:
        """Return the message's content blocks, rendered."""
        return rendering.rendered_blocks(message.content)

    @admin.display(description="path")
    def path(self, message: Message) -> SafeString:
        """Return a link to the conversation's page with the path up to this message."""
        url = reverse("admin:conversations_conversation_change", args=[message.conversation_id])
        return format_html('<a href="{}?leaf={}">The conversation up to here</a>', url, message.pk)

    @admin.display(description="content")
    def content_shown(self, message: Message) -> SafeString:
        """Return the content blocks as they are stored, rendered as JSON."""
        return rendering.rendered_json(message.content)


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Attachments; their bytes are sent on demand."""

    private = "owner"
    list_display = ("created_at", "owner", "media_type", "size", "width", "height")
    list_filter = ("created_at",)
    list_select_related = ("owner",)
    found_by_text = ("sha256",)
    found_by_user = "owner"
    search_help_text = "Search for a whole id, SHA-256 or user name."
    fields = ("owner", "media_type", "size", "width", "height", "created_at", "content_shown", "sha256", "id")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Return the model's URLs with that of the bytes added."""
        content = path("<uuid:pk>/content/", self.admin_site.admin_view(self.content), name="attachment-content")
        return [content, *super().get_urls()]

    def content(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Answer with the bytes, after recording the access in the access log."""
        found = self.get_object(request, str(pk))
        if found is None or not self.has_view_permission(request, found):
            raise PermissionDenied
        self.note_opening(request, found)
        return served(request, found)

    @admin.display(description="content")
    def content_shown(self, attachment: Attachment) -> SafeString:
        """Return the image itself, or a link to any other file."""
        url = reverse("admin:attachment-content", args=[attachment.pk])
        if attachment.media_type.startswith("image/"):
            return format_html('<a href="{}"><img src="{}" alt="" style="max-height: 20rem"></a>', url, url)
        return format_html('<a href="{}">Open</a>', url)
