"""The state of a batch's item, derived from its extraction, within the caller's transaction."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import F
from django.db.models.functions import Now

from conversations.models import Usage
from extraction.models import Answer, Batch, Extraction, Item
from extraction.services import batch_jobs


def end_item_of(extraction: Extraction) -> None:
    """Set state and cost of the item of an ended extraction, and let the batch's next one be claimed."""
    item = _item_of(extraction)
    if item is None:
        return
    cost = _cost(extraction)
    item.status, item.error, item.finished_at = extraction.status, extraction.error, Now()
    item.cost = None if cost is None or item.cost is None else item.cost + cost
    item.save(update_fields=["status", "error", "finished_at", "cost"])
    _queue_next(item.batch)


def queue_item_of(extraction: Extraction) -> None:
    """Queue the item of a released extraction again, since its process has ended."""
    item = _item_of(extraction)
    if item is not None:
        item.status = Item.Status.QUEUED
        item.save(update_fields=["status"])
        _queue_next(item.batch)


def add_cost(extraction: Extraction, answer: Answer) -> None:
    """Add the cost of an answer that was received after its extraction had ended."""
    cost = answer.usage.cost if answer.usage else None
    if cost is not None:
        Item.objects.filter(extraction=extraction).update(cost=F("cost") + cost)


def _item_of(extraction: Extraction) -> Item | None:
    return Item.objects.filter(extraction=extraction).select_related("batch").first()


def _queue_next(batch: Batch) -> None:
    if batch.mode == Batch.Mode.LIVE:
        batch_jobs.queue_items(batch.pk, 1)


def _cost(extraction: Extraction) -> Decimal | None:
    """Return the booked cost of an extraction in US dollars; None if a price is unknown."""
    costs = list(Usage.objects.filter(answer__attempt__extraction=extraction).values_list("cost", flat=True))
    return None if None in costs else sum(filter(None, costs), Decimal(0))
