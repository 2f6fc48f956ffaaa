"""The admin's pages of batches: progress, cost and items."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from functools import partial

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from conversations.admin import rendering
from conversations.admin.readonly import ModelFilter, ReadOnlyAdmin
from extraction.admin.evaluating import evaluate
from extraction.batches.progress import Progress, of_batch
from extraction.models import Batch, Item
from extraction.services import evaluations
from extraction.services.batches import NewBatch


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    """Batches of extractions, read-only."""

    list_display = ("created_at", "owner", "status", "mode", "schema", "done", "cost", "expected", "left")
    list_filter = ("status", "mode", ModelFilter, "created_at")
    list_select_related = ("owner", "schema")
    found_by_user = "owner"
    change_form_before_template = "extraction/batch_links.html"
    fields = (
        *("owner", "status", "mode", "schema", "model", "max_tokens", "max_attempts", "concurrency"),
        *("done", "counts", "cost", "expected", "left", "created_at", "finished_at", "id"),
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Return the model's URLs, and that of the button that creates an evaluation."""
        view = self.admin_site.admin_view(require_POST(self.evaluate))
        return [path("<uuid:id>/evaluate/", view, name="extraction_batch_evaluate"), *super().get_urls()]

    def evaluate(self, request: HttpRequest, id: uuid.UUID | str) -> HttpResponseBase:
        """Create an evaluation of the reviewed items, run like the batch; redirect to its page."""
        batch = get_object_or_404(Batch.objects.select_related("owner", "schema"), pk=id)
        run = NewBatch(batch.schema, batch.model, max_tokens=batch.max_tokens, max_attempts=batch.max_attempts)
        back = reverse("admin:extraction_batch_change", args=[id])
        return evaluate(request, owner=batch.owner, items=partial(evaluations.of_batch, batch), run=run, back=back)

    @admin.display(description="done")
    def done(self, batch: Batch) -> SafeString:
        """Return the share of ended items, as a bar and in figures."""
        counts = _progress(batch).counts
        ended = counts["total"] - counts["queued"] - counts["running"]
        return format_html(
            '<progress max="{}" value="{}" aria-label="items that have ended"></progress> {} of {}',
            *(max(counts["total"], 1), ended, f"{ended:,}", f"{counts['total']:,}"),
        )

    @admin.display(description="items by status")
    def counts(self, batch: Batch) -> str:
        """Return the numbers of items by status, without zeros."""
        found = {name: count for name, count in _progress(batch).counts.items() if count and name != "total"}
        return ", ".join(f"{count:,} {name}" for name, count in found.items()) or "none"

    @admin.display(description="cost so far")
    def cost(self, batch: Batch) -> str:
        """Return the cost so far in US dollars."""
        return _dollars(_progress(batch).cost)

    @admin.display(description="expected cost")
    def expected(self, batch: Batch) -> str:
        """Return the estimated final cost in US dollars, if there is an estimate."""
        return _dollars(_progress(batch).expected_cost)

    @admin.display(description="time left")
    def left(self, batch: Batch) -> str:
        """Return the remaining time at the recent pace."""
        seconds = _progress(batch).seconds_left
        return "-" if seconds is None else str(timedelta(seconds=round(seconds)))


def _progress(batch: Batch) -> Progress:
    """Return the progress of a batch, looked up once per row."""
    if not hasattr(batch, "known_progress"):
        batch.known_progress = of_batch(batch)  # type: ignore[attr-defined]
    return batch.known_progress  # type: ignore[attr-defined]


def _dollars(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"${amount:.4f}"


@admin.register(Item)
class ItemAdmin(ReadOnlyAdmin):
    """The items of batches, read-only."""

    private = "batch.owner"
    list_display = ("key", "batch", "status", "failed_with", "price", "finished_at")
    list_filter = ("status",)
    list_select_related = ("batch",)
    found_by_text = ("key",)
    found_by_id = ("pk", "batch_id", "extraction_id")
    search_help_text = "Search for the whole key of an item, or the whole id of it, its batch or its extraction."
    heavy = ("content",)
    fields = ("batch", "key", "number", "status", "price", "extraction", "error_shown", "finished_at", "id")
    readonly_fields = fields

    @admin.display(description="failed with")
    def failed_with(self, item: Item) -> str:
        """Return the type of the item's error; empty if it has none."""
        return str((item.error or {}).get("type", ""))

    @admin.display(description="cost")
    def price(self, item: Item) -> str:
        """Return the item's cost in US dollars."""
        return _dollars(item.cost)

    @admin.display(description="error")
    def error_shown(self, item: Item) -> SafeString:
        """Return type and message of the item's error."""
        return rendering.rendered_json(item.error)
