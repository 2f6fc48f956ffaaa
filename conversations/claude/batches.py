"""Anthropic's Message Batches: requests at half the price, answered within a day (claude-api.md 11 and 14.2)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from conversations.claude.answer_shapes import BatchShape
from conversations.claude.client import client
from conversations.claude.error_mapping import translated
from conversations.claude.event_shapes import Kind, Shape, as_shape
from conversations.claude.retrying import retried
from conversations.claude.stream_events import EventChecker
from conversations.claude.values import error_message, error_type, parse
from conversations.content.folding import Folded, fold
from conversations.contract.error_types import Failure
from conversations.contract.wire import Answer, Request
from conversations.errors import ClaudeError, MalformedAnswer

logger = logging.getLogger(__name__)

ERRORED = "errored"
UNTOLD = "Claude could not answer."
MOST_REQUESTS = 100_000
MOST_BYTES = 256 * 1024 * 1024
"""Of a batch's body at most (claude-api.md 11)."""
PAGE = 100


@dataclass(frozen=True)
class BatchState:
    """What Anthropic says of a batch."""

    id: str
    ended: bool
    created_at: datetime
    requests: int
    """How many items it has."""
    ended_at: datetime | None = None

    @classmethod
    def of(cls, answer: object) -> BatchState:
        """Return the state that the SDK's object tells. Raises MalformedAnswer where it is no batch."""
        batch = as_shape(BatchShape, answer, "batch")
        counts = batch.request_counts
        total = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
        return cls(batch.id, batch.processing_status == "ended", batch.created_at, total, batch.ended_at)


@dataclass(frozen=True)
class ItemResult:
    """What became of an item: `succeeded`, `errored`, `canceled` or `expired`, or a word that came later."""

    custom_id: str
    type: str
    answer: Folded | None
    """The whole answer, checked, where it succeeded."""
    error: Failure | None
    """The type and the message of what went wrong, where it is errored and Anthropic has told."""


class ResultShape(Shape):
    """What became of an item (claude-api.md 14.2)."""

    type: Kind
    message: object = None
    error: object = None


class ResultRowShape(Shape):
    """A line of the results."""

    custom_id: str
    result: ResultShape


async def create(requests: Iterable[tuple[str, Request]]) -> BatchState:
    """Send requests by their custom ids as a batch; not tried again, since it may be there all the same.

    Raises ClaudeError: with an `upstream_status` below 500 it was not taken, else that is not known (see `since`).
    """
    rows = [{"custom_id": id, "params": params} for id, params in requests]
    with translated():
        return BatchState.of(await (await client()).messages.batches.create(requests=rows))  # type: ignore[arg-type]


async def retrieve(id: str) -> BatchState:
    """Return the state of a batch. Raises ClaudeError."""

    async def once() -> BatchState:
        with translated():
            return BatchState.of(await (await client()).messages.batches.retrieve(id))

    return await retried(once)


async def since(moment: datetime) -> list[BatchState]:
    """Return the batches that were created since a moment, newest first. Raises ClaudeError."""

    async def once() -> list[BatchState]:
        found = []
        with translated():
            async for batch in (await client()).messages.batches.list(limit=PAGE):
                state = BatchState.of(batch)
                if state.created_at < moment:
                    break
                found.append(state)
        return found

    return await retried(once)


async def cancel(id: str) -> None:
    """Ask for a batch to be ended; what has been answered by then stays. Raises ClaudeError."""

    async def once() -> None:
        with translated():
            await (await client()).messages.batches.cancel(id)

    await retried(once)


async def delete(id: str) -> bool:
    """Delete a batch with its results, if it has ended; else ask for it to be ended. Return whether it is gone.

    Raises ClaudeError.
    """

    async def once() -> bool:
        with translated():
            batches = (await client()).messages.batches
            status = as_shape(BatchShape, await batches.retrieve(id), "batch").processing_status
            if status == "in_progress":
                await batches.cancel(id)
            if status != "ended":
                return False
            await batches.delete(id)
            return True

    try:
        return await retried(once)
    except ClaudeError as error:
        if error.upstream_status == 404:
            return True
        raise


async def results(id: str) -> AsyncIterator[ItemResult]:
    """Yield the results of a batch that has ended, in any order; lines that can't be read are left out.

    Raises ClaudeError, at worst after some of them.
    """
    with translated(streaming=True):
        decoder = await (await client()).messages.batches.results(id)
        try:
            async for line in _lines(decoder.http_response.aiter_bytes()):  # the SDK's own ends at one that is no JSON
                if line.strip() and (result := _result_in(line)):
                    yield result
        finally:
            await decoder.close()


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    yield rest


def _result_in(line: bytes) -> ItemResult | None:
    """Return the result in a line; None where it has none that can be told whose it is."""
    try:
        row = as_shape(ResultRowShape, parse(line), "result")
    except MalformedAnswer as error:
        logger.warning("A line of a batch's results was left out. %s", error)
        return None
    if row.result.type != "succeeded":
        return ItemResult(row.custom_id, row.result.type, None, _error_in(row.result.error))
    try:
        return ItemResult(row.custom_id, row.result.type, _whole_answer(row.result.message), None)
    except MalformedAnswer as error:
        return ItemResult(row.custom_id, ERRORED, None, error.kept())


def _error_in(envelope: object) -> Failure | None:
    """Return the type and the message in an error as the Messages API gives it; None where there is none."""
    error = envelope.get("error") if isinstance(envelope, dict) else None
    if not isinstance(error, dict):
        return None
    return {"type": error_type(error.get("type")), "message": error_message(error.get("message")) or UNTOLD}


def _whole_answer(message: object) -> Folded:
    """Return a whole message as those that come as streams are folded. Raises MalformedAnswer for what is none."""
    [answer] = fold(EventChecker().admit({"type": "message_start", "message": cast(Answer, message)}))
    answer.stopped = True
    return answer
