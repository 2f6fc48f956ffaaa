"""Reading a transcript, live or ended, from any position, on any process."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from conversations.content.transcript import Batch
from conversations.running.engine import engine
from conversations.streaming.readers import Found
from conversations.streaming.wakes import IdleTimer


async def follow(
    turn: uuid.UUID, after: int = 0, *, beat: float | None = None, through_waits: bool = True
) -> AsyncIterator[Batch | None]:
    """Yield everything of a turn past a position, to its end: each time all that there is, as one batch.

    A reader is its position and nothing else. While it is busy with a batch nothing is queued for it; it just gets a
    bigger one next time. With `beat` it also gets a None after so many silent seconds. When the process is about to
    leave, it ends before the turn does, and the reader goes on from its position at another one. Without
    `through_waits` it ends as well where the turn waits for its client's tools.
    """
    here = await engine()
    position, live = after, None
    with here.wakes.waiting(turn) as news, IdleTimer(news, beat) as idle:
        while True:
            leaving = here.drained
            news.clear()  # before reading: what is committed from here on sets it again
            # One that has ended here meanwhile is read to its end from memory.
            live = here.journal.live(turn) or (live if live and live.ended else None)
            found = Found(live.since(position)) if live else await here.readers.read(turn, position)
            batch = found.batch
            if batch is not None:
                yield batch
                position = batch.end
                idle.restart()
            if found.ended or (batch is not None and batch.last) or (batch is None and leaving):
                return
            if found.waits and not through_waits:
                return
            if batch is None:
                await news.wait()
                if idle.expired:
                    yield None
                    idle.restart()
