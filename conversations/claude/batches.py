"""Anthropic's Message Batches: requests at half the price, answered within a day (claude-api.md 11 and 14.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conversations.claude.client import client
from conversations.claude.error_mapping import translated
from conversations.claude.retrying import retried
from conversations.contract.wire import Answer, Request

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

    @classmethod
    def of(cls, batch: Any) -> BatchState:
        """Return the state of the SDK's object."""
        counts = batch.request_counts
        total = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
        return cls(batch.id, batch.processing_status == "ended", batch.created_at, total)


@dataclass(frozen=True)
class ItemResult:
    """What became of an item: `succeeded`, `errored`, `canceled` or `expired`, or a word that came later."""

    custom_id: str
    type: str
    message: Answer | None
    """The answer as the Messages API gives it, where it succeeded."""
    error: Mapping[str, object]
    """The type and the message of what went wrong, where it is errored."""


async def create(requests: Iterable[tuple[str, Request]]) -> BatchState:
    """Send requests by their custom ids as a batch; not tried again, since it may be there all the same.

    Raises ClaudeError: one with an `upstream_status` was not taken, of any other it is not known (see `since`).
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
                if batch.created_at < moment:
                    break
                found.append(BatchState.of(batch))
        return found

    return await retried(once)


async def cancel(id: str) -> None:
    """Ask for a batch to be ended; what has been answered by then stays. Raises ClaudeError."""

    async def once() -> None:
        with translated():
            await (await client()).messages.batches.cancel(id)

    await retried(once)


async def results(id: str) -> AsyncIterator[ItemResult]:
    """Yield the results of a batch that has ended, in any order. Raises ClaudeError, at worst after some of them."""
    with translated(streaming=True):
        decoder = await (await client()).messages.batches.results(id)
        try:
            async for row in decoder:
                yield _result_of(row.to_dict(mode="json"))
        finally:
            await decoder.close()


def _result_of(row: dict[str, Any]) -> ItemResult:
    result = row["result"]
    error = (result.get("error") or {}).get("error") or {}
    return ItemResult(row["custom_id"], result["type"], result.get("message"), error)
