"""The life of an extraction: created, claimed, attempted, ended. One durable transaction each."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from conversations.content import attachments_in
from conversations.models import Usage, User
from conversations.services import attachments, budgets, spending, usage
from conversations.services.notices import tell
from conversations.transcript import Folded
from extraction.models import Attempt, Extraction, Source

LOST = {"type": "api_error", "message": "The process that ran this extraction was lost."}


class LostExtraction(Exception):
    """The extraction is no longer this process's."""


def create(
    *, owner: User, schema: dict[str, Any], content: list[dict[str, Any]], model: str, max_attempts: int
) -> Extraction:
    """An extraction, queued. The schema and the content have been checked."""
    with transaction.atomic(durable=True):
        blocks = attachments.take_in(owner=owner, blocks=content)
        extraction = Extraction.objects.create(
            owner=owner, schema=schema, content=blocks, model=model, max_attempts=max_attempts
        )
        shown = attachments_in(blocks)
        Source.objects.bulk_create(Source(extraction=extraction, attachment_id=id) for id in shown)
        return extraction


def claim(*, id: uuid.UUID, holder: uuid.UUID) -> Extraction | None:
    """Takes a queued extraction for a process; None where another one was first."""
    with transaction.atomic(durable=True):
        claimed = Extraction.claim(id, holder)
        return Extraction.objects.select_related("owner").get(pk=id) if claimed else None


def hold(*, extraction: Extraction, number: int, request: dict[str, Any]) -> None:
    """Holds what an attempt can cost. Raises BudgetExceeded, or LostExtraction where it is not ours any more."""
    with transaction.atomic(durable=True):
        held = _held(extraction)
        spending.hold_for_request(user=held.owner, work=held.pk, number=number, request=request)


def keep(*, extraction: Extraction, number: int, native: bool, answer: Folded, upstream: usage.Upstream) -> Attempt:
    """Books and stores an answer, before anything is made of it."""
    with transaction.atomic(durable=True):
        _held(extraction)
        kept = extraction.attempts.filter(number=number).first()
        if kept:  # the answer to the first time was lost with the connection
            return kept
        row = usage.book(
            user=extraction.owner,
            answer=answer,
            model=extraction.model,
            upstream=upstream,
            purpose=Usage.Purpose.EXTRACTION,
        )
        return Attempt.objects.create(
            extraction=extraction,
            number=number,
            native=native,
            content=answer.content,
            stop_reason=answer.stop_reason,
            usage=row,
        )


def note(*, attempt: Attempt, problems: list[dict[str, str]]) -> None:
    """What was found wrong with an attempt."""
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
    """Ends an extraction that runs here. Raises LostExtraction where it is not ours any more."""
    with transaction.atomic(durable=True):
        _end(_held(extraction), status, data, problems or [], error)


def settle(*, id: uuid.UUID, by: uuid.UUID) -> None:
    """Ends an extraction that nobody runs any more, the process `by` included; its attempts are kept."""
    with transaction.atomic(durable=True):
        extraction = Extraction.abandoned(by).select_for_update(no_key=True, skip_locked=True).filter(pk=id).first()
        if extraction is not None:
            _end(extraction, Extraction.Status.FAILED, None, [], LOST)


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
    budgets.release(extraction.pk)
    extraction.status = status
    extraction.data = data
    extraction.problems = problems
    extraction.error = error
    extraction.finished_at = Now()
    extraction.save()
    tell("extraction", extraction.pk)
