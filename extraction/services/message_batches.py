"""What is written for Message Batches: requests gathered, sent, answered, or given back because they were not."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models.functions import Now

from conversations.content.folding import Folded
from conversations.contract.error_types import Failure
from conversations.contract.wire import Answer as ClaudeAnswer
from conversations.services import budgets
from conversations.services.ledger import RequestRecord
from extraction.models import Answer, Batch, BatchedRequest, Extraction, Item, MessageBatch
from extraction.services import answers, batch_items, extractions, item_states
from extraction.services.extractions import Outcome

RESENT = 3
"""How often a request is sent in another Message Batch that got no answer in one."""


def gather(*, batch: uuid.UUID, holder: uuid.UUID) -> MessageBatch:
    """Return a new Message Batch, held by a process while its requests are gathered."""
    return MessageBatch.objects.create(batch_id=batch, status=MessageBatch.RUNNING, fence=1, holder=holder)


def take_item(*, batch: uuid.UUID, holder: uuid.UUID) -> Item | None:
    """Take the next queued item, whose extraction the process holds while its requests are made; None without any."""
    with transaction.atomic(durable=True):
        found = Batch.objects.select_for_update(no_key=True).get(pk=batch)
        item = found.items.filter(status=Item.Status.QUEUED).select_related("extraction").first()
        if found.status not in (Batch.Status.RUNNING, Batch.Status.CANCELLED) or item is None:
            return None
        batch_items.begin(found, item, holder)
        return item


def add(*, message_batch: MessageBatch, item: Item, answer: Answer) -> None:
    """Note that a request is in a Message Batch."""
    BatchedRequest.objects.create(message_batch=message_batch, item=item, answer=answer)


def park(*, extraction: Extraction, waiting: bool) -> None:
    """Let go of an extraction while its requests are at Anthropic or, where it is `waiting`, until they can be sent.

    What is held of budgets for its requests stays held. Raises LostExtraction where it is not ours any more.
    """
    with transaction.atomic(durable=True):
        row = extraction.locked_as_ours()
        row.status, row.holder = Extraction.QUEUED, None
        row.save(update_fields=["status", "holder"])
        if waiting:
            Item.objects.filter(extraction=row).update(status=Item.Status.QUEUED)


def sending(message_batch: MessageBatch) -> None:
    """Note that a Message Batch is about to be sent: from now on it may be there."""
    MessageBatch.objects.filter(pk=message_batch.pk).update(sent_at=Now())


def sent(message_batch: MessageBatch, upstream_id: str) -> None:
    """Note that a Message Batch is at Anthropic, and what it is called there. No process holds it any more."""
    MessageBatch.objects.filter(pk=message_batch.pk).update(
        status=MessageBatch.SENT, holder=None, upstream_id=upstream_id
    )


def give_back(*, message_batch: MessageBatch, status: str = MessageBatch.LOST) -> None:
    """End a Message Batch: the items of its unanswered requests are queued again."""
    for request in message_batch.requests.filter(answer__usage=None).select_related("answer", "item"):
        _give_back(request)
    _queue_answered(message_batch)
    MessageBatch.objects.filter(pk=message_batch.pk).update(status=status, holder=None, finished_at=Now())


def discard(message_batch: MessageBatch) -> None:
    """Remove a Message Batch that no request has come into."""
    MessageBatch.objects.filter(pk=message_batch.pk, requests=None).delete()


def _give_back(request: BatchedRequest) -> None:
    with transaction.atomic():
        forget(request.answer)
        Item.objects.filter(pk=request.item_id, status=Item.Status.RUNNING).update(status=Item.Status.QUEUED)


def forget(answer: Answer) -> None:
    """Take a request back that nobody answers, with what is held of budgets for it. Within the transaction."""
    budgets.release(answer.attempt.extraction_id, answer.number)
    answers.take_back(Answer.objects.filter(pk=answer.pk))


def _queue_answered(message_batch: MessageBatch) -> None:
    """Queue the items whose requests of a Message Batch have all been answered: their next step follows from that."""
    with transaction.atomic():
        answered = Item.objects.filter(batched__message_batch=message_batch, status=Item.Status.RUNNING)
        answered.update(status=Item.Status.QUEUED)


def keep_answer(*, request: BatchedRequest, message: ClaudeAnswer) -> None:
    """Book and store the answer to a request, once, also where its extraction has been stopped meanwhile."""
    with transaction.atomic(durable=True):
        rows = Extraction.objects.select_for_update(no_key=True, of=("self",)).select_related("owner", "schema")
        extraction = rows.get(pk=request.answer.attempt.extraction_id)
        answer = Answer.objects.select_related("attempt").get(pk=request.answer_id)
        if answer.usage_id is None:
            answers.book(extraction, answer, folded(message), RequestRecord(), {})
            budgets.release(extraction.pk, answer.number)
            if extraction.ended:
                item_states.add_cost(extraction, answer)


def folded(message: ClaudeAnswer) -> Folded:
    """Return an answer of a Message Batch as those that come as streams are kept."""
    envelope: dict[str, object] = {"id": message.get("id"), "model": message.get("model")}
    return Folded(
        role="assistant",
        content=message["content"],
        stop_reason=message.get("stop_reason"),
        usage=dict(message.get("usage") or {}),
        envelope=envelope,
        stopped=True,
    )


def unanswered(*, request: BatchedRequest, error: Failure, again: bool) -> None:
    """Send a request again that got no answer, a few times, where that can help; else fail its item."""
    with transaction.atomic(durable=True):
        item = Item.objects.select_for_update(no_key=True).select_related("batch").get(pk=request.item_id)
        forget(request.answer)
        if again and item.sent < RESENT:
            item.sent += 1
            item.status = Item.Status.QUEUED
            item.save(update_fields=["sent", "status"])
            return
    end_item(item=item, outcome=Outcome(Extraction.Status.FAILED, error=error))


def end_item(*, item: Item, outcome: Outcome) -> None:
    """End an item whose extraction nobody holds: with this outcome, if it has not ended."""
    with transaction.atomic(durable=True):
        parked = Extraction.objects.select_for_update(no_key=True).filter(item=item)
        if extraction := parked.exclude(status__in=Extraction.TERMINAL).first():
            extractions.end(extraction, outcome)
