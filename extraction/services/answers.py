"""The requests of an extraction: recorded before they are sent, and booked and stored before they are parsed."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection, transaction
from django.db.models import Max, QuerySet

from conversations.claude.pricing import PLAIN, ServiceTerms
from conversations.content.folding import Folded
from conversations.contract.extraction_types import Problem
from conversations.contract.wire import Request
from conversations.models import Usage
from conversations.services.billing import budgets, ledger
from conversations.services.turns import budget_holds
from extraction.extracting.plan import Place
from extraction.models import Answer, Extraction


def begin(*, extraction: Extraction, place: Place, request: Request, served: ServiceTerms = PLAIN) -> Answer:
    """Record a request before it is sent, so that it is booked if this process dies meanwhile.

    Hold its maximal cost, given how it is `served`. Return the row for the answer. Raise BudgetExceeded, or
    LostExtraction if the extraction is not ours any more.
    """
    with transaction.atomic(durable=True):
        held = extraction.locked_as_ours()
        attempt, _ = held.attempts.get_or_create(number=place.attempt)
        last = Answer.objects.filter(attempt__extraction=held).aggregate(number=Max("number"))["number"]
        answer, _ = attempt.answers.get_or_create(
            part=place.part,
            group=place.group,
            turn=place.turn,
            defaults={"number": (last or 0) + 1, "native": "output_config" in request},
        )
        budget_holds.hold_for_other_work(
            user=held.owner, work=held.pk, number=answer.number, request=request, served=served
        )
        return answer


def keep(
    *,
    extraction: Extraction,
    answer: Answer,
    request: Mapping[str, object],
    said: Folded | None,
    upstream: ledger.RequestRecord,
) -> Answer:
    """Book and store an answer before it is parsed; for one that never began, the request.

    Raises LostExtraction where the extraction is not ours any more.
    """
    with transaction.atomic(durable=True):
        held = extraction.locked_as_ours()
        row = Answer.objects.select_related("attempt").get(pk=answer.pk)
        if row.usage_id is None:  # otherwise the answer to the first time was lost with the connection
            book(held, row, said or ledger.unanswered_request(request), upstream, request)
            budgets.release(extraction.pk, row.number)
        return row


def forget(*, extraction: Extraction, answer: Answer) -> None:
    """Delete the record of a request that Claude did not accept, and release its holds."""
    with transaction.atomic(durable=True):
        held = extraction.locked_as_ours()
        take_back(Answer.objects.filter(pk=answer.pk))
        held.attempts.filter(pk=answer.attempt_id, answers=None).delete()
        budgets.release(extraction.pk, answer.number)


def take_back(rows: QuerySet[Answer]) -> int:
    """Delete those of the rows whose requests are unbooked; return the number. Within the caller's transaction.

    Postgres refuses every other deletion of such a row (migration 0002): its cost would be in no ledger.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('colloquy.takes_back', 'on', true)")
        _, deleted = rows.filter(usage=None).delete()
        cursor.execute("SELECT set_config('colloquy.takes_back', '', true)")
    return deleted.get(Answer._meta.label, 0)


def note(*, extraction: Extraction, number: int, problems: list[Problem]) -> None:
    """Store the problems of an attempt. Raise LostExtraction as `keep`."""
    if not problems:
        return
    with transaction.atomic(durable=True):
        extraction.locked_as_ours().attempts.filter(number=number).update(problems=problems)


def book_lost(extraction: Extraction) -> None:
    """Book requests that were sent and whose answers are lost, estimated from the requests. Within the transaction."""
    answers = Answer.objects.filter(attempt__extraction=extraction)
    lost = list(answers.filter(usage=None))
    if not lost:
        return
    asked = [extraction.content, *(answer.content for answer in answers)]
    request = {"system": extraction.schema.json_schema, "messages": asked}
    for answer in lost:
        book(extraction, answer, ledger.unanswered_request(request), ledger.RequestRecord(), request)


def book(
    extraction: Extraction, answer: Answer, said: Folded, upstream: ledger.RequestRecord, request: Mapping[str, object]
) -> None:
    """Book a request, and store its answer. Within the transaction that has locked the extraction."""
    answer.content, answer.stop_reason, answer.whole = said.content, said.stop_reason, said.stopped
    answer.usage = ledger.book(
        ledger.ledger_row(
            user=extraction.owner,
            answer=said,
            model=extraction.model,
            upstream=upstream,
            purpose=Usage.Purpose.EXTRACTION,
            asked=lambda: request,
        )
    )
    answer.save(update_fields=["content", "stop_reason", "whole", "usage"])
