"""The admin's pages of turns, with messages, usage and transcripts."""

from __future__ import annotations

import uuid

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.admin import rendering
from conversations.admin.filters import TurnScopeFilter
from conversations.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from conversations.admin.review.scope import REASON
from conversations.content.transcript import placed
from conversations.models import PendingQuestion, Turn, Usage

EVENTS = 200
"""The number of a transcript's events on a page."""


class UsageInline(ReadOnlyInline):
    """The ledger's rows of a turn: its upstream requests."""

    model = Usage
    fields = (
        "model",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
        "cost",
        "source",
        "stop_reason",
        "error_type",
        "request_id",
    )
    readonly_fields = fields
    ordering = ("pk",)


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    """Turns with their upstream requests and transcripts, read-only."""

    private = "user"
    list_display = ("created_at", "user", "model", "outcome", "reason", "finished_at")
    list_filter = (TurnScopeFilter, "status")
    list_filter_submit = True
    list_select_related = ("user",)
    found_by_id = ("pk", "conversation_id")
    found_by_user = "user"
    search_help_text = "Search for the whole id of a turn or a conversation, or a whole user name."
    heavy = ("settings", "stop_details", "error", "tool_results")
    inlines = (UsageInline,)
    fields = (
        "conversation",
        "user",
        "status",
        "model",
        "stop_reason",
        "stop_sequence",
        "stop_details_shown",
        "error_shown",
        "messages_shown",
        "transcript_link",
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
        "id",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Return the model's URLs with that of the transcript added."""
        transcript = path(
            "<uuid:pk>/transcript/", self.admin_site.admin_view(self.transcript), name="conversations_turn_transcript"
        )
        return [transcript, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Turn]:
        """Return the turns, each with the reason of a failure."""
        return super().get_queryset(request).annotate(reason=REASON)

    @admin.display(description="status")
    def outcome(self, turn: Turn) -> str:
        """Return the status, and Claude's stop reason if it tells more."""
        return f"{turn.status} ({turn.stop_reason})" if turn.stop_reason not in (None, "end_turn") else turn.status

    @admin.display(description="failed with")
    def reason(self, turn: Turn) -> str:
        """Return the type of the error that made the turn fail."""
        return str(turn.reason) if turn.status in Turn.UNSUCCESSFUL else ""  # type: ignore[attr-defined]

    def transcript(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Answer with a page of a turn's events, after recording the access in the access log."""
        turn = self.get_object(request, str(pk))
        if turn is None or not self.has_view_permission(request, turn):
            raise PermissionDenied
        self.note_opening(request, turn)
        events = [event for piece in turn.pieces.order_by("start") for event in piece.events]
        given = request.GET.get("from", "")
        first = int(given) if given.isascii() and given.isdecimal() and len(given) < 9 else 0
        shown = list(placed(events, 0))[first : first + EVENTS]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": turn,
            "title": "Transcript",
            "events": [(position, event["type"], rendering.rendered_json(event)) for position, event in shown],
            "whole": len(events),
            "earlier": max(0, first - EVENTS) if first else None,
            "later": first + EVENTS if first + EVENTS < len(events) else None,
        }
        return TemplateResponse(request, "conversations/transcript.html", context)

    @admin.display(description="messages")
    def messages_shown(self, turn: Turn) -> SafeString:
        """Render the question, queued or not, and the messages that answer it."""
        waiting = PendingQuestion.objects.filter(turn=turn).select_related("turn__user")
        return rendering.rendered_waiting(waiting) + rendering.rendered_conversation(
            (
                each.role,
                reverse("admin:conversations_message_change", args=[each.pk]),
                rendering.rendered_blocks(each.content),
            )
            for each in (turn.user_message, *turn.messages.order_by("pk"))
            if each
        )

    @admin.display(description="transcript")
    def transcript_link(self, turn: Turn) -> SafeString:
        """Return a link to the turn's events."""
        url = reverse("admin:conversations_turn_transcript", args=[turn.pk])
        return format_html('<a href="{}">Every event of it</a>', url)

    @admin.display(description="stop details")
    def stop_details_shown(self, turn: Turn) -> SafeString:
        """Return Claude's details on why it stopped."""
        return rendering.rendered_json(turn.stop_details)

    @admin.display(description="error")
    def error_shown(self, turn: Turn) -> SafeString:
        """Return type and message of the error that made the turn fail."""
        return rendering.rendered_json(turn.error)

    @admin.display(description="settings")
    def settings_shown(self, turn: Turn) -> SafeString:
        """Return the settings of the turn's requests, rendered as JSON."""
        return rendering.rendered_json(turn.settings)
