"""Extractions and their attempts, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from conversations.admin import rendering
from conversations.admin.readonly import ModelFilter, ReadOnlyAdmin, ReadOnlyInline
from extraction.models import Attempt, Extraction


class AttemptInline(ReadOnlyInline):
    """The requests to Claude."""

    model = Attempt
    show_change_link = False
    fields = ("number", "native", "stop_reason", "answer", "problems", "created_at")
    readonly_fields = fields

    @admin.display
    def answer(self, attempt: Attempt) -> SafeString:
        """Claude's blocks."""
        return rendering.as_json(attempt.content)


@admin.register(Extraction)
class ExtractionAdmin(ReadOnlyAdmin):
    """Extractions."""

    private = "owner"
    list_display = ("id", "owner", "status", "model", "created_at", "finished_at")
    list_filter = ("status", ModelFilter, "created_at")
    list_select_related = ("owner",)
    found_by_user = "owner"
    heavy = ("schema", "content", "data", "problems", "error")
    inlines = (AttemptInline,)
    fields = (
        "id",
        "owner",
        "status",
        "model",
        "max_attempts",
        "created_at",
        "started_at",
        "finished_at",
        "error",
        "data_shown",
        "problems_shown",
        "schema_shown",
    )
    readonly_fields = fields

    @admin.display(description="data")
    def data_shown(self, extraction: Extraction) -> SafeString:
        """What was extracted."""
        return rendering.as_json(extraction.data)

    @admin.display(description="problems")
    def problems_shown(self, extraction: Extraction) -> SafeString:
        """What is wrong with it."""
        return rendering.as_json(extraction.problems)

    @admin.display(description="schema")
    def schema_shown(self, extraction: Extraction) -> SafeString:
        """What it was checked against."""
        return rendering.as_json(extraction.schema)
