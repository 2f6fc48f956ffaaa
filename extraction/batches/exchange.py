"""Exchanging a batch's requests and results with Anthropic's Message Batches.

One job at a time does this for a batch, again and again until the batch has ended. Whatever it was at when it was lost,
the next one finds in the rows: requests that were gathered and not sent are gathered anew, and a Message Batch that may
have been sent is looked for at Anthropic before anything is sent again.
"""

from __future__ import annotations

import logging
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from conversations.claude import batches as upstream
from conversations.claude.batches import ItemResult
from conversations.contract.error_types import Failure
from conversations.contract.wire import Request
from conversations.database import in_database, persistently
from conversations.errors import BudgetExceeded, ClaudeError, ColloquyError
from conversations.exact_json import dumps
from extraction.extracting.state import Ask, Extracting
from extraction.models import Batch, BatchedRequest, Extraction, Item, LostExtraction, MessageBatch
from extraction.services import answers, batch_items, extractions, message_batches, schemas
from extraction.services.extractions import Outcome
from extraction.work import INTERNAL_ERROR, refuses_format

logger = logging.getLogger(__name__)

REQUESTS_LIMIT = 10_000
BYTES_LIMIT = 32 * 1024 * 1024
"""Of one Message Batch. Anthropic takes more (claude-api.md 11), but this process has all of it in memory."""
CLOCKS = timedelta(minutes=5)
"""By how much Anthropic's clock may be behind the database's."""
CANCELLED: Failure = {"type": "invalid_request_error", "message": "The Message Batch was cancelled."}
EXPIRED: Failure = {
    "type": "timeout_error",
    "message": "Claude did not answer within the time that a Message Batch has.",
}


class BudgetIsHeld(Exception):
    """There is not enough left of a budget now, but there will be when what is held of it is let go."""


@dataclass
class Gathered:
    """The requests of a Message Batch that is not sent yet, by their custom ids."""

    message_batch: MessageBatch
    requests: list[tuple[str, Request]] = field(default_factory=list)
    size: int = 0
    """Bytes of their bodies."""

    @property
    def full(self) -> bool:
        """Whether it has as much as one Message Batch may have."""
        return len(self.requests) >= REQUESTS_LIMIT or self.size >= BYTES_LIMIT

    def add(self, id: uuid.UUID, body: Request) -> None:
        """Take in a request, which is answered under this id."""
        self.requests.append((str(id), body))
        self.size += len(dumps(body))


async def exchange(batch: uuid.UUID, holder: uuid.UUID) -> bool:
    """Do what can be done now for a batch: collect results, take next steps, send requests.

    Return whether there will be more to do. Raises ClaudeError where Anthropic can't be asked.
    """
    for message_batch in await in_database(_unended, batch):
        await _look_after(message_batch, holder)
    while await _send_more(batch, holder):
        pass
    return await in_database(_goes_on, batch)


def _unended(batch: uuid.UUID) -> list[MessageBatch]:
    rows = MessageBatch.objects.filter(batch=batch).exclude(status__in=MessageBatch.TERMINAL)
    return list(rows.select_related("batch").order_by("pk"))


def _goes_on(id: uuid.UUID) -> bool:
    """Note the end of a batch that is done; return whether something is still to come of it, paused or not."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update(no_key=True).get(pk=id)
        done = batch_items.end_if_done(batch)
    return not done and (batch.status != Batch.Status.PAUSED or bool(_unended(id)))


# --- Message Batches that are there -----------------------------------------------------------------------------------


async def _look_after(message_batch: MessageBatch, holder: uuid.UUID) -> None:
    """Go on with a Message Batch that has not ended."""
    if message_batch.status == MessageBatch.RUNNING:
        if message_batch.holder == holder or await in_database(_is_abandoned, message_batch):
            await _recover(message_batch)
        return
    assert message_batch.upstream_id is not None
    state = await upstream.retrieve(message_batch.upstream_id)
    if state.ended:
        await _collect(message_batch)
    elif message_batch.batch.status == Batch.Status.CANCELLED:
        await upstream.cancel(message_batch.upstream_id)


def _is_abandoned(message_batch: MessageBatch) -> bool:
    return MessageBatch.abandoned(uuid.UUID(int=0)).filter(pk=message_batch.pk).exists()


async def _recover(message_batch: MessageBatch) -> None:
    """Find out what became of a Message Batch whose process was lost, or could not tell whether it was taken."""
    if message_batch.sent_at is None:
        await persistently(message_batches.give_back, message_batch=message_batch)
        return
    ids, known = await in_database(_ids, message_batch)
    for state in await upstream.since(message_batch.sent_at - CLOCKS):
        if state.id in known or state.requests != len(ids):
            continue
        if not state.ended:  # its results will tell whose it is
            return
        async for result in upstream.results(state.id):
            if result.custom_id in ids:
                await persistently(message_batches.sent, message_batch, state.id)
                return
            break
    await persistently(message_batches.give_back, message_batch=message_batch)


def _ids(message_batch: MessageBatch) -> tuple[set[str], set[str | None]]:
    ids = {str(id) for id in message_batch.requests.values_list("answer", flat=True)}
    return ids, set(MessageBatch.objects.exclude(upstream_id=None).values_list("upstream_id", flat=True))


async def _collect(message_batch: MessageBatch) -> None:
    """Store the results of a Message Batch that has ended; what it has no result for is sent again."""
    assert message_batch.upstream_id is not None
    async for result in upstream.results(message_batch.upstream_id):
        request = await in_database(_request, message_batch, result.custom_id)
        if request is not None:
            await _take_in(message_batch.batch, request, result)
    await persistently(message_batches.give_back, message_batch=message_batch, status=MessageBatch.ENDED)


def _request(message_batch: MessageBatch, custom_id: str) -> BatchedRequest | None:
    """Return the request with a custom id that has not been answered."""
    with suppress(ValueError):
        rows = message_batch.requests.filter(answer=uuid.UUID(custom_id), answer__usage=None)
        return rows.select_related("answer__attempt__extraction__schema", "item").first()
    return None


async def _take_in(batch: Batch, request: BatchedRequest, result: ItemResult) -> None:
    if result.message is not None:
        await persistently(message_batches.keep_answer, request=request, message=result.message)
    elif result.type == "canceled":
        await persistently(message_batches.unanswered, request=request, error=CANCELLED, again=True)
    elif result.type == "expired":
        await persistently(message_batches.unanswered, request=request, error=EXPIRED, again=True)
    else:
        await _take_in_error(request, result)


async def _take_in_error(request: BatchedRequest, result: ItemResult) -> None:
    kind = str(result.error.get("type") or "api_error")
    error: Failure = {"type": kind, "message": str(result.error.get("message") or "Claude could not answer.")}
    refused = kind == "invalid_request_error"
    if refused and request.answer.native and refuses_format(error["message"]):
        extraction = request.answer.attempt.extraction
        await persistently(schemas.note_refusal, id=extraction.schema_id, model=extraction.model)
        refused = False  # without the format it may be taken
    await persistently(message_batches.unanswered, request=request, error=error, again=not refused)


# --- Next steps -------------------------------------------------------------------------------------------------------


async def _send_more(batch: uuid.UUID, holder: uuid.UUID) -> bool:
    """Take the next step of queued items, and send their requests; return whether there may be more."""
    gathered: Gathered | None = None
    more = True
    while gathered is None or not gathered.full:
        item = await persistently(message_batches.take_item, batch=batch, holder=holder)
        if item is None:
            more = False
            break
        gathered = gathered or Gathered(await persistently(message_batches.gather, batch=batch, holder=holder))
        try:
            await _step(item, gathered)
        except BudgetIsHeld:
            more = False
            break
    if gathered is not None:
        await _send(gathered)
    return more


async def _step(item: Item, gathered: Gathered) -> None:
    """Take the next step of an item: its requests go into the Message Batch, or it ends."""
    assert item.extraction is not None
    extraction = await in_database(_with_all, item.extraction.pk)
    try:
        outcome = await _next(extraction, item, gathered)
        if outcome is None:
            await persistently(message_batches.park, extraction=extraction, waiting=False)
        else:
            await persistently(extractions.finish, extraction=extraction, outcome=outcome)
    except LostExtraction:
        logger.warning("Extraction %s was lost to another process", extraction.pk)


def _with_all(id: uuid.UUID) -> Extraction:
    return Extraction.objects.select_related("owner", "schema").get(pk=id)


async def _next(extraction: Extraction, item: Item, gathered: Gathered) -> Outcome | None:
    """Return how an extraction ends; None where its next requests are in the Message Batch."""
    try:
        state = Extracting(extraction)
        await state.load()
        step = await state.next()
        for number, problems in state.ended_attempts.items():
            await persistently(answers.note, extraction=extraction, number=number, problems=problems)
        if isinstance(step, Outcome):
            return step
        if item.batch.status == Batch.Status.CANCELLED:
            return Outcome(Extraction.Status.CANCELLED)
        await _gather(extraction, item, step, gathered)
        return None
    except (BudgetIsHeld, LostExtraction):
        raise
    except ColloquyError as error:
        return Outcome(Extraction.Status.FAILED, error=error.kept())
    except Exception:  # whatever it was, the item has to end
        logger.exception("Extraction %s failed", extraction.pk)
        return Outcome(Extraction.Status.FAILED, error=INTERNAL_ERROR)


async def _gather(extraction: Extraction, item: Item, asks: list[Ask], gathered: Gathered) -> None:
    """Put all requests of an extraction's next step into a Message Batch, or none of them.

    Raises BudgetExceeded, or BudgetIsHeld where the item is queued again.
    """
    begun = []
    try:
        for ask in asks:
            answer = await persistently(answers.begin, extraction=extraction, place=ask.place, request=ask.body)
            begun.append((answer, ask.body))
    except BudgetExceeded as error:
        for answer, _ in begun:
            await persistently(answers.forget, extraction=extraction, answer=answer)
        if not error.retryable:
            raise
        await persistently(message_batches.park, extraction=extraction, waiting=True)
        raise BudgetIsHeld from error
    for answer, body in begun:
        await persistently(message_batches.add, message_batch=gathered.message_batch, item=item, answer=answer)
        gathered.add(answer.pk, body)


async def _send(gathered: Gathered) -> None:
    """Send a Message Batch. Where it is not known whether it was taken, the next look finds out."""
    message_batch = gathered.message_batch
    if not gathered.requests:
        await persistently(message_batches.discard, message_batch)
        return
    await persistently(message_batches.sending, message_batch)
    try:
        state = await upstream.create(gathered.requests)
    except ClaudeError as error:
        if error.upstream_status is None:
            logger.warning("It is not known whether Message Batch %s was taken: %s", message_batch.pk, error)
        else:
            await _refused(message_batch, error)
        return
    await persistently(message_batches.sent, message_batch, state.id)


async def _refused(message_batch: MessageBatch, error: ClaudeError) -> None:
    """Give the requests of a Message Batch back that Anthropic did not take; fail their items if it never will."""
    if not error.retryable:
        requests = await in_database(lambda: list(message_batch.requests.select_related("answer__attempt", "item")))
        for request in requests:
            await persistently(message_batches.unanswered, request=request, error=error.kept(), again=False)
    await persistently(message_batches.give_back, message_batch=message_batch)
