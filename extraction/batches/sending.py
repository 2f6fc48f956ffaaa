"""Sending a batch's requests in Message Batches, within budgets."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field
from functools import partial

from conversations.claude import batches as upstream
from conversations.claude.pricing import BATCHED
from conversations.contract.wire import Request
from conversations.database import in_database, persistently
from conversations.errors import BudgetExceeded, ClaudeError, ColloquyError
from conversations.exact_json import dumps
from extraction.extracting.state import Ask, Extracting
from extraction.models import Batch, Extraction, Item, LostExtraction, MessageBatch
from extraction.services import answers, extractions, message_batches
from extraction.services.extractions import Outcome
from extraction.work import INTERNAL_ERROR

logger = logging.getLogger(__name__)

REQUESTS_LIMIT = 10_000
BYTES_LIMIT = 32 * 1024 * 1024
"""The maximal size of a Message Batch. Anthropic accepts more (claude-api.md 11), but it is all held in memory here."""
UNSURE = 500
"""The status from which on it is unknown whether a Message Batch was accepted: a proxy may have lost the response."""


class BudgetIsHeld(Exception):
    """A budget has not enough left now, but will have when other holds are released."""


@dataclass
class Gathered:
    """The requests of an unsent Message Batch, by their custom ids."""

    message_batch: MessageBatch
    requests: list[tuple[str, Request]] = field(default_factory=list)
    size: int = 0
    """Bytes of their bodies."""

    @property
    def full(self) -> bool:
        """Whether it has the maximal size of a Message Batch."""
        return len(self.requests) >= REQUESTS_LIMIT or self.size >= BYTES_LIMIT

    def add(self, id: uuid.UUID, body: Request) -> None:
        """Add a request under this id."""
        self.requests.append((str(id), body))
        self.size += len(dumps(body))


async def send_more(batch: uuid.UUID, holder: uuid.UUID) -> bool:
    """Take the next steps of queued items, and send their requests; return whether more can be sent now."""
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
    if gathered is not None and not await _send(gathered):
        return False
    return more


async def _step(item: Item, gathered: Gathered) -> None:
    """Take the next step of an item: add its requests to the Message Batch, or end it."""
    assert item.extraction is not None
    extraction = await in_database(_with_all, item.extraction.pk)
    try:
        outcome = await _next(extraction, item, gathered)
        if outcome is not None:
            await persistently(extractions.finish, extraction=extraction, outcome=outcome)
    except LostExtraction:
        logger.warning("Extraction %s was lost to another process", extraction.pk)


def _with_all(id: uuid.UUID) -> Extraction:
    return Extraction.objects.select_related("owner", "schema").get(pk=id)


async def _next(extraction: Extraction, item: Item, gathered: Gathered) -> Outcome | None:
    """Return the outcome of an extraction; None if its next requests were added to the Message Batch."""
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
    """Add all requests of an extraction's next step to a Message Batch, or none of them.

    Raises BudgetExceeded, or BudgetIsHeld where the item is queued again.
    """
    asked = []
    try:
        for ask in asks:
            place, body = ask.place, ask.body
            begin = partial(answers.begin, extraction=extraction, place=place, request=body, served=BATCHED)
            asked.append(await persistently(begin))
    except BudgetExceeded as error:
        for answer in asked:
            await persistently(answers.forget, extraction=extraction, answer=answer)
        if not error.retryable:
            raise
        await persistently(message_batches.put_back, extraction=extraction)
        raise BudgetIsHeld from error
    message_batch = gathered.message_batch
    await persistently(message_batches.add, message_batch=message_batch, item=item, extraction=extraction, asked=asked)
    for answer, ask in zip(asked, asks, strict=True):
        gathered.add(answer.pk, ask.body)


async def _send(gathered: Gathered) -> bool:
    """Send a Message Batch; return whether it was accepted. If that is unknown, the next exchange finds it out."""
    message_batch = gathered.message_batch
    if not gathered.requests:
        await persistently(message_batches.discard, message_batch)
        return True
    if not await persistently(message_batches.sending, message_batch):
        return False
    try:
        state = await upstream.create(gathered.requests)
    except ClaudeError as error:
        if error.upstream_status is None or error.upstream_status >= UNSURE:
            logger.warning("It is not known whether Message Batch %s was accepted: %s", message_batch.pk, error)
        else:
            await _refused(message_batch, error)
        return False
    if not await persistently(message_batches.sent, message_batch, state.id):
        await upstream.cancel(state.id)
    return True


async def _refused(message_batch: MessageBatch, error: ClaudeError) -> None:
    """Release the requests of a refused Message Batch; fail their items if a retry is pointless."""
    if not error.retryable:
        requests = message_batch.requests.select_related("answer__attempt")
        for request in await in_database(list, requests):
            await persistently(message_batches.unanswered, request=request, error=error.kept(), again=False)
    await persistently(message_batches.give_back, message_batch=message_batch)
