"""Following up the Message Batches of a batch, and storing their results."""

from __future__ import annotations

import logging
import uuid
from contextlib import suppress
from datetime import timedelta

from django.db.models import QuerySet

from conversations import clock
from conversations.claude import batches as upstream
from conversations.claude.batches import BatchState, ItemResult
from conversations.contract.error_types import Failure
from conversations.database import in_database, persistently
from conversations.errors import ClaudeError
from extraction.models import Batch, BatchedRequest, MessageBatch
from extraction.services import message_batches, schemas
from extraction.work import refuses_format

logger = logging.getLogger(__name__)

CLOCKS = timedelta(minutes=5)
"""The maximal lag of Anthropic's clock behind the database's."""
COMPLETE = timedelta(hours=1)
"""The time after the end of a Message Batch for which missing results are awaited."""
CANCELLED: Failure = {"type": "invalid_request_error", "message": "The Message Batch was cancelled."}
EXPIRED: Failure = {
    "type": "timeout_error",
    "message": "Claude did not answer within the time that a Message Batch has.",
}
ERRORED: Failure = {"type": "api_error", "message": "Claude could not answer."}
UNTOLD: Failure = {
    "type": "api_error",
    "message": "Anthropic has no result of this request; it may have been paid all the same.",
}


async def look_after(message_batch: MessageBatch, holder: uuid.UUID) -> None:
    """Process a Message Batch that has not ended. Raise ClaudeError if Anthropic can't be asked about it now."""
    if message_batch.status == MessageBatch.RUNNING:
        if message_batch.holder == holder or await in_database(_is_abandoned, message_batch):
            await _recover(message_batch)
        return
    assert message_batch.upstream_id is not None
    try:
        state = await upstream.retrieve(message_batch.upstream_id)
    except ClaudeError as error:
        if error.upstream_type != "not_found_error":
            raise
        await _end(message_batch, failed=await in_database(_open_requests, message_batch))
        return
    if state.ended:
        await _collect(message_batch, state)
    elif message_batch.batch.status == Batch.Status.CANCELLED:
        await upstream.cancel(message_batch.upstream_id)


def _is_abandoned(message_batch: MessageBatch) -> bool:
    return MessageBatch.abandoned(uuid.UUID(int=0)).filter(pk=message_batch.pk).exists()


async def _recover(message_batch: MessageBatch) -> None:
    """Find out whether a Message Batch was accepted whose process has died, or got no response."""
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


async def _collect(message_batch: MessageBatch, state: BatchState) -> None:
    """Store the results of an ended Message Batch; requests without an answer are sent again or fail.

    Raises ClaudeError while results are missing: they may be there the next time, and are paid.
    """
    told = set()
    async for result in upstream.results(state.id):
        told.add(result.custom_id)
        request = await in_database(_open_request, message_batch, result.custom_id)
        if request is not None:
            await _take_in(request, result)
    untold = [each for each in await in_database(_open_requests, message_batch) if str(each.answer_id) not in told]
    if untold and await in_database(clock.now) < (state.ended_at or state.created_at) + COMPLETE:
        raise ClaudeError(f"Anthropic's results of {state.id} lack {len(untold)} requests.")
    await _end(message_batch, failed=untold)


async def _end(message_batch: MessageBatch, failed: list[BatchedRequest]) -> None:
    """End a Message Batch, and fail the items of requests whose results are lost."""
    for request in failed:
        await persistently(message_batches.unanswered, request=request, error=UNTOLD, again=False)
    await persistently(message_batches.give_back, message_batch=message_batch, status=MessageBatch.ENDED)


def _open_requests(message_batch: MessageBatch) -> list[BatchedRequest]:
    return list(_unanswered(message_batch))


def _open_request(message_batch: MessageBatch, custom_id: str) -> BatchedRequest | None:
    """Return the unanswered request with a custom id."""
    with suppress(ValueError):
        return _unanswered(message_batch).filter(answer=uuid.UUID(custom_id)).first()
    return None


def _unanswered(message_batch: MessageBatch) -> QuerySet[BatchedRequest]:
    return message_batch.requests.filter(answer__usage=None).select_related("answer__attempt__extraction", "item")


async def _take_in(request: BatchedRequest, result: ItemResult) -> None:
    if result.answer is not None:
        await persistently(message_batches.keep_answer, request=request, said=result.answer)
    elif result.type == "canceled":
        await persistently(message_batches.unanswered, request=request, error=CANCELLED, again=True)
    elif result.type == "expired":
        await persistently(message_batches.unanswered, request=request, error=EXPIRED, again=True)
    else:
        await _take_in_error(request, result)


async def _take_in_error(request: BatchedRequest, result: ItemResult) -> None:
    error = result.error or ERRORED
    refused = error["type"] == "invalid_request_error"
    if refused and request.answer.native and refuses_format(error["message"]):
        extraction = request.answer.attempt.extraction
        await persistently(schemas.note_refusal, id=extraction.schema_id, model=extraction.model)
        refused = False  # without the format it may be taken
    await persistently(message_batches.unanswered, request=request, error=error, again=not refused)
