"""The admin's pages of extractions and their attempts."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from conversations.admin import rendering
from conversations.admin.readonly import ModelFilter, ReadOnlyAdmin, ReadOnlyInline
from extraction.admin import review_queue
from extraction.models import Attempt, Extraction

NEWEST = 1000
"""The number of newest failed extractions whose error types the filter offers."""


class AttemptInline(ReadOnlyInline):
    """The attempts of an extraction."""

    model = Attempt
    show_change_link = False
    fields = ("number", "native", "stop_reason", "answer", "problems", "created_at")
    readonly_fields = fields

    @admin.display
    def answer(self, attempt: Attempt) -> SafeString:
        """Return the content blocks of Claude's answer, rendered as JSON."""
        return rendering.rendered_json(attempt.content)


class ErrorFilter(admin.SimpleListFilter):
    """A filter by the type of an extraction's error."""

    title = "error"
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Model]) -> list[tuple[str, str]]:
        """Return the error types of the newest failed extractions."""
        failed = Extraction.objects.filter(status=Extraction.Status.FAILED).order_by("-pk")
        newest = failed.annotate(error_type=KeyTextTransform("type", "error")).values_list("error_type", flat=True)
        return [(name, name) for name in sorted({str(name) for name in newest[:NEWEST] if name})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """Return the extractions that failed with that error."""
        return queryset.filter(error_type=self.value()) if self.value() else queryset


@admin.register(Extraction)
class ExtractionAdmin(ReadOnlyAdmin):
    """Extractions with their attempts, read-only."""

    private = "owner"
    list_display = ("created_at", "owner", "status", "failed_with", "model", "finished_at")
    list_filter = ("status", ErrorFilter, ModelFilter, "created_at")
    list_select_related = ("owner",)
    found_by_user = "owner"
    heavy = ("content", "data", "problems", "error")
    inlines = (AttemptInline,)
    fields = (
        "owner",
        "status",
        "model",
        "max_attempts",
        "created_at",
        "started_at",
        "finished_at",
        "error_shown",
        "data_shown",
        "problems_shown",
        "schema_shown",
        "id",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Return the model's URLs with those of reviewing added."""
        guarded = self.admin_site.admin_view
        return [
            path("review/", guarded(review_queue.queue), name="extraction_extraction_queue"),
            path("<uuid:id>/review/", guarded(review_queue.review), name="extraction_extraction_review"),
            path(
                "<uuid:id>/evaluate/",
                guarded(require_POST(review_queue.evaluate_reviewed)),
                name="extraction_extraction_evaluate",
            ),
            path("<uuid:id>/image/<int:index>/", guarded(review_queue.image), name="extraction_extraction_image"),
            path(
                "<uuid:id>/page/<int:index>/<int:number>/",
                guarded(review_queue.page),
                name="extraction_extraction_page",
            ),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Extraction]:
        """Return the extractions, each with the type of its error."""
        return super().get_queryset(request).annotate(error_type=KeyTextTransform("type", "error"))

    @admin.display(description="failed with")
    def failed_with(self, extraction: Extraction) -> str:
        """Return the type of the error; empty if there is none."""
        return extraction.error_type or ""  # type: ignore[attr-defined]

    @admin.display(description="error")
    def error_shown(self, extraction: Extraction) -> SafeString:
        """Return type and message of the error."""
        return rendering.rendered_json(extraction.error)

    @admin.display(description="data")
    def data_shown(self, extraction: Extraction) -> SafeString:
        """Return the extracted data, rendered as JSON."""
        return rendering.rendered_json(extraction.data)

    @admin.display(description="problems")
    def problems_shown(self, extraction: Extraction) -> SafeString:
        """Return the problems of the data, rendered."""
        return rendering.rendered_json(extraction.problems)

    @admin.display(description="schema")
    def schema_shown(self, extraction: Extraction) -> SafeString:
        """Return the schema of the data, rendered as JSON."""
        return rendering.rendered_json(extraction.schema.json_schema)
