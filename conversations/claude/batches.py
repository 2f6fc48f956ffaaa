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
"""The maximal number of bytes of a batch's body (claude-api.md 11)."""
PAGE = 100


@dataclass(frozen=True)
class BatchState:
    """The state of a batch at Anthropic."""

    id: str
    ended: bool
    created_at: datetime
    requests: int
    """The number of its items."""
    ended_at: datetime | None = None

    @classmethod
    def of(cls, answer: object) -> BatchState:
        """Convert the SDK's object. Raise MalformedAnswer if it is not a batch."""
        batch = as_shape(BatchShape, answer, "batch")
        counts = batch.request_counts
        total = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
        return cls(batch.id, batch.processing_status == "ended", batch.created_at, total, batch.ended_at)


@dataclass(frozen=True)
class ItemResult:
    """The result of an item: `succeeded`, `errored`, `canceled`, `expired`, or a future kind."""

    custom_id: str
    type: str
    answer: Folded | None
    """The complete, validated answer, if the item succeeded."""
    error: Failure | None
    """The type and the message of the error, if the item is errored and Anthropic has told them."""


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
    """Send requests by their custom ids as a batch; without retries, since the batch may exist after an error.

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
    """Return the batches created since a time, newest first. Raise ClaudeError."""

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
    """Ask for a batch to be ended; existing results stay. Raise ClaudeError."""

    async def once() -> None:
        with translated():
            await (await client()).messages.batches.cancel(id)

    await retried(once)


async def delete(id: str) -> bool:
    """Delete an ended batch with its results, or ask for the end of a running one. Return whether it is deleted.

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
    """Yield the results of an ended batch, in any order; unreadable lines are skipped.

    Raises ClaudeError, at worst after some of them.
    """
    with translated(streaming=True):
        decoder = await (await client()).messages.batches.results(id)
        try:
            async for line in _lines(decoder.http_response.aiter_bytes()):  # the SDK's own stops at invalid JSON
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
    """Return the result in a line; None if its item can't be identified."""
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
    """Return the type and the message of an error in the Messages API's format; None if there is none."""
    error = envelope.get("error") if isinstance(envelope, dict) else None
    if not isinstance(error, dict):
        return None
    return {"type": error_type(error.get("type")), "message": error_message(error.get("message")) or UNTOLD}


def _whole_answer(message: object) -> Folded:
    """Return a complete message in the form of a folded stream. Raise MalformedAnswer if it is none."""
    [answer] = fold(EventChecker().admit({"type": "message_start", "message": cast(Answer, message)}))
    answer.stopped = True
    return answer
