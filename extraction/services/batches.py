"""Batches: received item by item, run, paused, resumed, cancelled, and retried."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from conversations.content.sources import attachments_in
from conversations.contract.wire import Block
from conversations.errors import Conflict, InvalidRequest
from conversations.exact_json import dumps
from conversations.models import User
from conversations.services.files import attachments
from extraction.models import Batch, Item, ItemSource, SchemaVersion
from extraction.services import batch_jobs, extractions

CONCURRENCY = 8
"""The default number of a batch's items that run at once."""


@dataclass(frozen=True)
class NewBatch:
    """The validated settings of a batch."""

    schema: SchemaVersion
    model: str
    mode: str = Batch.Mode.LIVE
    concurrency: int = CONCURRENCY
    max_tokens: int | None = None
    max_attempts: int = 2
    wants_evidence: bool | None = None
    metadata: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class NewItem:
    """An item to add."""

    key: str
    number: int
    content: list[Block]
    """Content blocks as `attachments.store_sources` gives them."""

    @property
    def digest(self) -> str:
        """A digest that is equal for two items only if their contents are."""
        return hashlib.sha256(dumps(self.content, separators=(",", ":")).encode()).hexdigest()


def receive(*, user: User, new: NewBatch, key: str | None = None) -> Batch:
    """Return a new batch for adding items, or the one that the key has created before: its status tells."""
    if key is not None and (known := Batch.objects.filter(owner=user, idempotency_key=key).first()):
        return known
    try:
        with transaction.atomic():
            return Batch.objects.create(owner=user, idempotency_key=key, **vars(new))
    except IntegrityError as error:  # somebody with the same key was faster
        if "one_batch_per_key" not in str(error):
            raise
        return Batch.objects.get(owner=user, idempotency_key=key)


def add(*, batch: Batch, items: Sequence[NewItem]) -> None:
    """Add items; an existing one with the same key and content is the same item.

    Raises InvalidRequest where a key is there with another content, NotFound where an attachment is gone.
    """
    with transaction.atomic(durable=True):
        attachments.lock_attachments(owner=batch.owner, blocks=[block for item in items for block in item.content])
        rows = [
            Item(batch=batch, key=item.key, number=item.number, content=item.content, digest=item.digest)
            for item in items
        ]
        Item.objects.bulk_create(rows, ignore_conflicts=True)
        kept = {row.key: row for row in batch.items.filter(key__in=[item.key for item in items]).defer("content")}
        for item in items:
            if item.key not in kept or kept[item.key].digest != item.digest:
                raise InvalidRequest(
                    f"items.{item.number}: The key {item.key!r} is another item's, with another content. "
                    "Every item needs a key of its own.",
                    details={"key": item.key},
                )
        shown = [(kept[item.key], id) for item in items for id in attachments_in(item.content)]
        ItemSource.objects.bulk_create(
            (ItemSource(item=row, attachment_id=id) for row, id in shown), ignore_conflicts=True
        )


def start(*, batch: Batch, digest: str) -> Batch:
    """Start a batch after its items were added. Raise InvalidRequest if there are none."""
    with transaction.atomic(durable=True):
        batch = _locked(Batch.objects.filter(pk=batch.pk))
        if batch.status != Batch.Status.RECEIVING:
            return batch
        if not batch.items.exists():
            raise InvalidRequest.at("items", "There are none.")
        batch.status, batch.request_digest = Batch.Status.RUNNING, digest
        batch.save(update_fields=["status", "request_digest"])
        _queue(batch)
    return batch


def discard(batch: Batch) -> None:
    """Delete a batch that could not be received completely."""
    Batch.objects.filter(pk=batch.pk, status=Batch.Status.RECEIVING).delete()


def pause(*, user: User, id: uuid.UUID | str) -> Batch:
    """Begin no more items; running ones are finished. Raise NotFound, or Conflict if it has ended."""
    with transaction.atomic(durable=True):
        batch = _of(user, id)
        _check(batch, Batch.Status.RUNNING, Batch.Status.PAUSED)
        _set(batch, Batch.Status.PAUSED)
    return batch


def resume(*, user: User, id: uuid.UUID | str) -> Batch:
    """Continue a paused batch. Raise NotFound, or Conflict if it has ended."""
    with transaction.atomic(durable=True):
        batch = _of(user, id)
        _check(batch, Batch.Status.RUNNING, Batch.Status.PAUSED)
        if batch.status == Batch.Status.PAUSED:
            _set(batch, Batch.Status.RUNNING)
            _queue(batch)
    return batch


def cancel(*, user: User, id: uuid.UUID | str) -> Batch:
    """End all items that have not ended; existing results stay. Raise NotFound.

    Requests that are in a Message Batch end when Anthropic has ended it.
    """
    with transaction.atomic(durable=True):
        batch = _of(user, id)
        if batch.status not in (Batch.Status.ENDED, Batch.Status.CANCELLED):
            _set(batch, Batch.Status.CANCELLED)
            waiting = batch.items.filter(status=Item.Status.QUEUED, extraction=None)
            waiting.update(status=Item.Status.CANCELLED, finished_at=Now())
            _queue(batch)
    if batch.mode == Batch.Mode.LIVE:
        begun = batch.items.filter(status__in=(Item.Status.QUEUED, Item.Status.RUNNING), extraction__isnull=False)
        for extraction in list(begun.values_list("extraction", flat=True)):
            extractions.cancel(user=user, id=extraction)
    return batch


def retry(*, user: User, id: uuid.UUID | str) -> Batch:
    """Queue the failed items again, and no others. Raise NotFound."""
    with transaction.atomic(durable=True):
        batch = _of(user, id)
        _check(batch, Batch.Status.RUNNING, Batch.Status.PAUSED, Batch.Status.ENDED, Batch.Status.CANCELLED)
        failed = batch.items.filter(status=Item.Status.FAILED)
        again = failed.update(status=Item.Status.QUEUED, extraction=None, error=None, finished_at=None, sent=0)
        if again:
            batch.finished_at = None
            _set(batch, Batch.Status.PAUSED if batch.status == Batch.Status.PAUSED else Batch.Status.RUNNING)
            _queue(batch)
    return batch


def _of(user: User, id: uuid.UUID | str) -> Batch:
    return _locked(Batch.objects.filter(pk=Batch.objects.get_visible(user, id).pk))


def _locked(rows: QuerySet[Batch]) -> Batch:
    return rows.select_for_update(no_key=True).get()


def _check(batch: Batch, *allowed: str) -> None:
    if batch.status not in allowed:
        raise Conflict(f"The batch is {batch.status}.", details={"status": batch.status})


def _set(batch: Batch, status: str) -> None:
    batch.status = status
    batch.save(update_fields=["status", "finished_at"])


def _queue(batch: Batch) -> None:
    """Queue the jobs of a batch that starts, or continues. Within the transaction."""
    if batch.mode == Batch.Mode.BATCH:
        batch_jobs.queue_exchange(batch.pk)
        return
    running = batch.items.filter(status=Item.Status.RUNNING).count()
    waiting = batch.items.filter(status=Item.Status.QUEUED)[: batch.concurrency].count()
    batch_jobs.queue_items(batch.pk, max(1, min(batch.concurrency - running, waiting)))


def tend() -> None:
    """Queue the missing jobs of running batches after workers have died; delete incompletely received batches."""
    for batch in Batch.objects.filter(pk__in=_unfinished()):
        with transaction.atomic():
            if batch.mode == Batch.Mode.BATCH:
                batch_jobs.queue_exchange(batch.pk)
            else:
                running = batch.items.filter(status=Item.Status.RUNNING).count()
                lacking = batch.concurrency - running - batch_jobs.queued_items(batch.pk)
                batch_jobs.queue_items(batch.pk, lacking)


def _unfinished() -> list[uuid.UUID]:
    working = Batch.objects.filter(status__in=(Batch.Status.RUNNING, Batch.Status.CANCELLED), finished_at=None)
    return list(working.values_list("pk", flat=True))
