"""The life of a batch's item: claimed by a job, extracted, and ended together with its extraction."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models.functions import Now

from extraction.models import Batch, Extraction, Item
from extraction.services import extractions
from extraction.services.extractions import Spec, has_text


def take_next(*, batch: uuid.UUID, holder: uuid.UUID) -> uuid.UUID | None:
    """Claim the next queued item for a process; return its extraction, which the process then holds.

    None if there is none, if the batch does not run or was deleted, or if the maximal number of its items is running.
    """
    with transaction.atomic(durable=True):
        found = Batch.objects.select_for_update(no_key=True).filter(pk=batch).first()
        if found is None:
            return None
        item = found.items.filter(status=Item.Status.QUEUED).first() if found.status == Batch.Status.RUNNING else None
        running = found.items.filter(status=Item.Status.RUNNING).count()
        if item is None or running >= found.concurrency:
            end_if_done(found)
            return None
        return begin(found, item, holder).pk


def begin(batch: Batch, item: Item, holder: uuid.UUID) -> Extraction:
    """Mark an item as running in a process, with a new extraction or its existing one. Within the transaction."""
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
    """End a batch whose items have all ended; return whether it has. The caller has locked its row."""
    if batch.finished_at is None and not batch.items.exclude(status__in=Item.TERMINAL).exists():
        batch.finished_at = Now()
        if batch.status != Batch.Status.CANCELLED:
            batch.status = Batch.Status.ENDED
        batch.save(update_fields=["status", "finished_at"])
    return batch.finished_at is not None
