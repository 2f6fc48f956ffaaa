"""The life of an extraction: created, claimed, attempted, ended. One durable transaction each."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from conversations.content.folding import Folded
from conversations.content.sources import attachments_in
from conversations.models import Usage
from conversations.services import attachments, budget_holds, budgets, ledger
from conversations.services.best_effort import if_possible
from conversations.services.notices import notify
from extraction.models import Attempt, Extraction, Source

LOST = {"type": "api_error", "message": "The process that ran this extraction was lost."}


class LostExtraction(Exception):
    """The extraction is no longer this process's."""


def create(*, asked: Extraction) -> tuple[Extraction, bool]:
    """Return the extraction, queued, and whether it is new: a key creates one for ever, and a retry gets that one.

    What is asked for has been checked, and its content is as `attachments.take_in` gives it. Raises
    IdempotencyMismatch where the key was used with another body, NotFound where an attachment is gone.
    """
    twins = Extraction.objects.filter(owner=asked.owner, idempotency_key=asked.idempotency_key)
    try:
        with transaction.atomic(durable=True):
            known = twins.first() if asked.idempotency_key is not None else None
            if known:
                return known.asked_for_by(asked.request_digest), False
            attachments.lock_attachments(owner=asked.owner, blocks=asked.content)
            asked.save(force_insert=True)
            shown = attachments_in(asked.content)
            Source.objects.bulk_create(Source(extraction=asked, attachment_id=id) for id in shown)
            return asked, True
    except IntegrityError as error:  # somebody with the same key was faster: the row that won is there now
        if "one_extraction_per_key" not in str(error):
            raise
        return twins.get().asked_for_by(asked.request_digest), False


def claim(*, id: uuid.UUID, holder: uuid.UUID) -> Extraction | None:
    """Take a queued extraction for a process; return None where another one was first."""
    with transaction.atomic(durable=True):
        claimed = Extraction.claim(id, holder)
        return Extraction.objects.select_related("owner").get(pk=id) if claimed else None


def begin_attempt(*, extraction: Extraction, number: int, request: dict[str, Any]) -> None:
    """Note an attempt before it is sent, so that it is booked if this process dies with it on its way.

    Holds what it can cost. Raises BudgetExceeded, or LostExtraction where it is not ours any more.
    """
    with transaction.atomic(durable=True):
        held = _held(extraction)
        budget_holds.hold_for_other_work(user=held.owner, work=held.pk, number=number, request=request)
        native = "output_config" in request
        held.attempts.get_or_create(number=number, defaults={"native": native, "content": []})


def keep(
    *,
    extraction: Extraction,
    number: int,
    request: dict[str, Any],
    answer: Folded | None,
    upstream: ledger.RequestRecord,
) -> Attempt:
    """Book and store an answer, before anything is made of it; of one that never began, what was asked."""
    with transaction.atomic(durable=True):
        attempt = _held(extraction).attempts.get(number=number)
        if attempt.usage_id is None:  # otherwise the answer to the first time was lost with the connection
            _book(attempt, answer or ledger.unanswered_request(request), upstream, request)
        return attempt


def forget(*, extraction: Extraction, number: int) -> None:
    """Take an attempt back that Claude did not take, with what is held of budgets for it."""
    with transaction.atomic(durable=True):
        _held(extraction).attempts.filter(number=number, usage=None).delete()
        budgets.release(extraction.pk)


def note(*, attempt: Attempt, problems: list[dict[str, str]]) -> None:
    """Store what was found wrong with an attempt."""
    with transaction.atomic(durable=True):
        attempt.problems = problems
        attempt.save(update_fields=["problems"])


def finish(
    *,
    extraction: Extraction,
    status: str,
    data: Any = None,
    problems: list[dict[str, str]] | None = None,
    error: dict[str, str] | None = None,
) -> None:
    """End an extraction that runs here. Raises LostExtraction where it is not ours any more."""
    with transaction.atomic(durable=True):
        _end(_held(extraction), status, data, problems or [], error)


def settle(*, id: uuid.UUID, by: uuid.UUID) -> None:
    """End an extraction that nobody runs any more, the process `by` included; its attempts are kept."""
    with transaction.atomic(durable=True):
        extraction = Extraction.abandoned(by).select_for_update(no_key=True, skip_locked=True).filter(pk=id).first()
        if extraction is not None:
            _settle(extraction)
            _end(extraction, Extraction.Status.FAILED, None, [], LOST)


@receiver(pre_delete, sender=Extraction)
def _gone(instance: Extraction, **kwargs: Any) -> None:
    """Book an extraction that is deleted, with its user, under whoever runs it."""
    extraction = instance.locked_unless_ended()
    if extraction is not None:
        _settle(extraction)
        notify("cancel", extraction.pk)


def _settle(extraction: Extraction) -> None:
    """Book what nobody has booked of an extraction, and let go what is held for it, as far as its row allows."""
    if_possible(f"The usage of extraction {extraction.pk}", lambda: _book_lost(extraction))
    if_possible(f"What is held for extraction {extraction.pk}", lambda: budgets.release(extraction.pk))


def _book_lost(extraction: Extraction) -> None:
    """Book the attempt that was sent and whose answer nobody kept, by what it asked about."""
    attempts = list(extraction.attempts.all())
    asked = [extraction.content, *(attempt.content for attempt in attempts)]
    for attempt in attempts:
        if attempt.usage_id is None:
            request = {"system": extraction.schema, "messages": asked}
            _book(attempt, ledger.unanswered_request(request), ledger.RequestRecord(), request)


def _book(attempt: Attempt, answer: Folded, upstream: ledger.RequestRecord, request: dict[str, Any]) -> None:
    extraction = attempt.extraction
    attempt.content, attempt.stop_reason = answer.content, answer.stop_reason
    attempt.usage = ledger.book_request(
        user=extraction.owner,
        answer=answer,
        model=extraction.model,
        upstream=upstream,
        purpose=Usage.Purpose.EXTRACTION,
        asked=lambda: request,
    )
    attempt.save(update_fields=["content", "stop_reason", "usage"])


def _held(extraction: Extraction) -> Extraction:
    mine = Extraction.objects.select_for_update(no_key=True).filter(
        pk=extraction.pk, status=Extraction.RUNNING, fence=extraction.fence
    )
    held = mine.first()
    if held is None:
        raise LostExtraction
    return held


def _end(
    extraction: Extraction, status: str, data: Any, problems: list[dict[str, str]], error: dict[str, str] | None
) -> None:
    if_possible(f"What is held for extraction {extraction.pk}", lambda: budgets.release(extraction.pk))
    extraction.status = status
    extraction.data = data
    extraction.problems = problems
    extraction.error = error
    extraction.finished_at = Now()
    extraction.save()
    notify("extraction", extraction.pk)
