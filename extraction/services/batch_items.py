"""The life of a batch's item: taken by a job, extracted, and ended by the transaction that ends its extraction."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from conversations.models import Usage
from extraction.models import Answer, Batch, Extraction, Item
from extraction.services import batch_jobs, extractions
from extraction.services.extractions import Spec, has_text

TERMINAL = frozenset(Item.Status.values) - {Item.Status.QUEUED, Item.Status.RUNNING}


def take_next(*, batch: uuid.UUID, holder: uuid.UUID) -> uuid.UUID | None:
    """Take the next queued item for a process; return its extraction, which the process holds from now on.

    None where there is none, the batch does not run, or as many of its items run as may.
    """
    with transaction.atomic(durable=True):
        found = Batch.objects.select_for_update(no_key=True).get(pk=batch)
        item = found.items.filter(status=Item.Status.QUEUED).first() if found.status == Batch.Status.RUNNING else None
        running = found.items.filter(status=Item.Status.RUNNING).count()
        if item is None or running >= found.concurrency:
            end_if_done(found)
            return None
        return begin(found, item, holder).pk


def begin(batch: Batch, item: Item, holder: uuid.UUID) -> Extraction:
    """Have an item run in a process: with a new extraction, or with the one that it has. Within the transaction."""
    extraction = item.extraction
    if extraction is None:
        extraction, _ = extractions.create(
            user=batch.owner, spec=_spec(batch, item), mode=Extraction.Mode.BATCH, resumes=True
        )
    Extraction.claim(extraction.pk, holder)
    item.extraction, item.status = extraction, Item.Status.RUNNING
    item.save(update_fields=["extraction", "status"])
    return extraction


def _spec(batch: Batch, item: Item) -> Spec:
    return Spec(
        schema=batch.schema,
        content=item.content,
        model=batch.model,
        max_tokens=batch.max_tokens,
        max_attempts=batch.max_attempts,
        wants_evidence=has_text(item.content) if batch.wants_evidence is None else batch.wants_evidence,
        metadata=batch.metadata,
    )


def end_if_done(batch: Batch) -> bool:
    """Note the end of a batch whose items have all ended; return whether it has. The caller has locked its row."""
    if batch.finished_at is None and not batch.items.exclude(status__in=TERMINAL).exists():
        batch.finished_at = Now()
        if batch.status != Batch.Status.CANCELLED:
            batch.status = Batch.Status.ENDED
        batch.save(update_fields=["status", "finished_at"])
    return batch.finished_at is not None


@receiver(extractions.ended)
def _ended(extraction: Extraction, **kwargs: Any) -> None:
    """Give an item the state of its extraction, and let the next one be taken."""
    if item := Item.objects.filter(extraction=extraction).select_related("batch").first():
        _end(item, extraction.status, extraction.error, _cost(extraction))


@receiver(extractions.given_back)
def _given_back(extraction: Extraction, **kwargs: Any) -> None:
    """Queue an item again whose extraction was given back: its process has ended."""
    if item := Item.objects.filter(extraction=extraction).select_related("batch").first():
        item.status = Item.Status.QUEUED
        item.save(update_fields=["status"])
        _next(item.batch)


@receiver(pre_delete, sender=Extraction)
def _deleted(instance: Extraction, **kwargs: Any) -> None:
    """End an item whose extraction is deleted before it has ended."""
    item = Item.objects.filter(extraction=instance).exclude(status__in=TERMINAL).select_related("batch").first()
    if item is not None:
        _end(item, Item.Status.CANCELLED, None, _cost(instance))


def _end(item: Item, status: str, error: dict[str, Any] | None, cost: Decimal | None) -> None:
    item.status, item.error, item.finished_at = status, error, Now()
    item.cost = None if cost is None or item.cost is None else item.cost + cost
    item.save(update_fields=["status", "error", "finished_at", "cost"])
    _next(item.batch)


def _next(batch: Batch) -> None:
    if batch.mode == Batch.Mode.LIVE:
        batch_jobs.queue_items(batch.pk, 1)


def add_cost(extraction: Extraction, answer: Answer) -> None:
    """Add what an answer cost that came when its extraction had ended. Within the transaction."""
    cost = answer.usage.cost if answer.usage else None
    if cost is not None:
        Item.objects.filter(extraction=extraction).update(cost=F("cost") + cost)


def _cost(extraction: Extraction) -> Decimal | None:
    """Return what the ledger has of an extraction in US dollars; None where a price is not known."""
    costs = list(Usage.objects.filter(answer__attempt__extraction=extraction).values_list("cost", flat=True))
    return None if None in costs else sum(filter(None, costs), Decimal(0))
