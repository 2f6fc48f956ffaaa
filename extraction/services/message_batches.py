"""The state of Message Batches: requests gathered, sent, answered, or released without an answer."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from conversations.content.folding import Folded
from conversations.contract.error_types import Failure
from conversations.services.billing import budgets
from conversations.services.billing.ledger import RequestRecord
from extraction.models import Answer, Batch, BatchedRequest, Extraction, Item, MessageBatch, UnwantedBatch
from extraction.services import answers, batch_items, extractions, item_states
from extraction.services.extractions import Outcome

RESENT = 3
"""How often a request without an answer is sent again in another Message Batch."""


def gather(*, batch: uuid.UUID, holder: uuid.UUID) -> MessageBatch:
    """Return a new Message Batch, held by a process while its requests are gathered."""
    return MessageBatch.objects.create(batch_id=batch, status=MessageBatch.RUNNING, fence=1, holder=holder)


def take_item(*, batch: uuid.UUID, holder: uuid.UUID) -> Item | None:
    """Claim the next queued item, whose extraction the process holds while its requests are built; None without any."""
    with transaction.atomic(durable=True):
        found = Batch.objects.select_for_update(no_key=True).get(pk=batch)
        item = found.items.filter(status=Item.Status.QUEUED).select_related("extraction").first()
        if found.status not in (Batch.Status.RUNNING, Batch.Status.CANCELLED) or item is None:
            return None
        batch_items.begin(found, item, holder)
        return item


def add(*, message_batch: MessageBatch, item: Item, extraction: Extraction, asked: Sequence[Answer]) -> None:
    """Add the requests of an extraction's next step to a Message Batch, and release it until they are answered.

    Their holds on budgets stay. Raise LostExtraction if it is not ours any more.
    """
    with transaction.atomic(durable=True):
        if message_batch.requests.filter(answer__in=asked).exists():
            return  # the answer to the first time was lost with the connection
        _let_go(extraction)
        BatchedRequest.objects.bulk_create(
            BatchedRequest(message_batch=message_batch, item=item, answer=answer) for answer in asked
        )


def put_back(*, extraction: Extraction) -> None:
    """Queue an item again whose requests can't be sent yet. Raise LostExtraction as `add`."""
    with transaction.atomic(durable=True):
        _let_go(extraction)
        Item.objects.filter(extraction=extraction.pk).update(status=Item.Status.QUEUED)


def _let_go(extraction: Extraction) -> None:
    row = extraction.locked_as_ours()
    row.status, row.holder = Extraction.QUEUED, None
    row.save(update_fields=["status", "holder"])


def unwanted() -> list[str]:
    """Return Anthropic's ids of the Message Batches that were deleted here."""
    return list(UnwantedBatch.objects.values_list("upstream_id", flat=True))


def forget_unwanted(upstream_id: str) -> None:
    """Record that a Message Batch that was deleted here is deleted at Anthropic, too."""
    UnwantedBatch.objects.filter(pk=upstream_id).delete()


def sending(message_batch: MessageBatch) -> bool:
    """Record that a Message Batch is about to be sent: from now on Anthropic may have it.

    Return False if it must not be sent: another process has released its requests, since this one's lease had expired.
    """
    return bool(_ours(message_batch).update(sent_at=Now()))


def sent(message_batch: MessageBatch, upstream_id: str) -> bool:
    """Record that Anthropic has accepted a Message Batch, with its id. No process holds it any more.

    Return False if nobody waits for it, since another process has released its requests meanwhile, or it was deleted.
    Then it is recorded that Anthropic's copy is to be deleted.
    """
    _ours(message_batch).update(status=MessageBatch.SENT, holder=None, upstream_id=upstream_id)
    awaited = MessageBatch.objects.filter(pk=message_batch.pk, upstream_id=upstream_id).exists()
    if not awaited:
        UnwantedBatch.objects.get_or_create(pk=upstream_id)
    return awaited


def _ours(message_batch: MessageBatch) -> QuerySet[MessageBatch]:
    return MessageBatch.objects.filter(
        pk=message_batch.pk, status=MessageBatch.RUNNING, holder=message_batch.holder, fence=message_batch.fence
    )


def give_back(*, message_batch: MessageBatch, status: str = MessageBatch.LOST) -> None:
    """End a Message Batch: its items take their next steps, the same ones again if they got no answer.

    Two workers may find at the same time that it has ended: the second one changes nothing.
    """
    for request in message_batch.requests.filter(answer__usage=None).select_related("answer__attempt"):
        with transaction.atomic():
            if _forget(request.answer):
                item = Item.objects.filter(pk=request.item_id, status=Item.Status.RUNNING)
                item.update(status=Item.Status.QUEUED, sent=F("sent") + int(status == MessageBatch.ENDED))
    with transaction.atomic():
        open = MessageBatch.objects.filter(pk=message_batch.pk).exclude(status__in=MessageBatch.TERMINAL)
        if open.update(status=status, holder=None, finished_at=Now()):
            answered = Item.objects.filter(batched__message_batch=message_batch, status=Item.Status.RUNNING)
            answered.update(status=Item.Status.QUEUED)


def discard(message_batch: MessageBatch) -> None:
    """Delete a Message Batch without requests."""
    MessageBatch.objects.filter(pk=message_batch.pk, requests=None).delete()


def _forget(answer: Answer) -> bool:
    """Delete the record of an unanswered request, and release its holds; return False if it was answered."""
    budgets.release(answer.attempt.extraction_id, answer.number)
    return bool(answers.take_back(Answer.objects.filter(pk=answer.pk)))


def keep_answer(*, request: BatchedRequest, said: Folded) -> None:
    """Book and store the answer to a request, once, also if its extraction was stopped meanwhile."""
    with transaction.atomic(durable=True):
        extraction = _extraction_of(request)
        answer = Answer.objects.select_related("attempt").filter(pk=request.answer_id, usage=None).first()
        if extraction is not None and answer is not None:
            answers.book(extraction, answer, said, RequestRecord(), {})
            budgets.release(extraction.pk, answer.number)
            if extraction.ended:
                item_states.add_cost(extraction, answer)


def unanswered(*, request: BatchedRequest, error: Failure, again: bool) -> None:
    """Fail the item of a request without an answer, unless it is to be sent `again`, which is limited.

    Requests to be sent again are queued when their Message Batch is released.
    """
    with transaction.atomic(durable=True):
        extraction = _extraction_of(request)
        if extraction is None or extraction.ended:
            return
        item = Item.objects.select_related("batch").get(pk=request.item_id)
        cancelled = item.batch.status == Batch.Status.CANCELLED  # its next step is to end so
        if not again or (item.sent >= RESENT and not cancelled):
            extractions.end(extraction, Outcome(Extraction.Status.FAILED, error=error))


def _extraction_of(request: BatchedRequest) -> Extraction | None:
    """Return the extraction of a request, locked; None if it was deleted."""
    rows = Extraction.objects.select_for_update(no_key=True, of=("self",)).select_related("owner", "schema")
    return rows.filter(pk=request.answer.attempt.extraction_id).first()
