"""Reading a transcript, live or ended, from any position, on any process."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from conversations import journal
from conversations.engine import engine
from conversations.transcript import Batch
from conversations.wakes import heard


async def follow(turn: uuid.UUID, after: int = 0, *, beat: float | None = None) -> AsyncIterator[Batch | None]:
    """Everything of the turn past a position, to its end: each time all that there is, as one batch.

    A reader is its position and nothing else. While it is busy with a batch nothing is queued for it; it just gets a
    bigger one next time. With `beat` it also gets a None after so many silent seconds.
    """
    here = await engine()
    position = after
    with here.wakes.waiting(turn) as news:
        while True:
            news.clear()  # before reading: what is committed from here on sets it again
            live = here.journal.live(turn)
            batch, ended = (live.since(position), False) if live else await journal.read(turn, position)
            if batch is not None:
                yield batch
                position = batch.end
            if ended or (batch is not None and batch.last):
                return
            while batch is None and not await heard(news, beat):
                yield None


async def until_ended(turn: uuid.UUID) -> None:
    """Returns when the turn has ended."""
    async for _ in follow(turn):
        pass
