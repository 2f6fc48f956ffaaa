"""The memory of a turn that runs in this process: what is committed of its transcript, and what is not yet."""

from __future__ import annotations

import asyncio
import uuid
from bisect import bisect_right
from dataclasses import dataclass, field

from conversations.content.transcript import Batch, joined
from conversations.contract.transcript_events import Event
from conversations.errors import ColloquyError

SEPARATE = 4  # batches of a turn that are kept as they were committed, at most
NEWEST = 2  # of them that stay so when the others become one: readers who are behind are there


@dataclass(eq=False)
class LiveTranscript:
    """A turn that runs in this process: what is committed of its transcript, and what is not yet."""

    turn: uuid.UUID
    fence: int
    kind: str = "turn"
    """What has the transcript (Batch.kind)."""
    position: int = 0
    """How far the transcript is committed: readers see no further."""
    committed: list[Batch] = field(default_factory=list)
    pending: list[Event] = field(default_factory=list)
    waiting: int = 0
    """How many positions are pending."""
    flushing: bool = False
    begun: bool = False
    """Whether a delta has come."""
    lost: bool = False
    """Whether the turn is no longer ours: another process has settled it."""
    failure: ColloquyError | None = None
    """Why its events can't be stored. Nothing more of it is written."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something of it is taken to be flushed, and when that is over."""
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is about to be flushed: what Claude has sent is read now."""

    def since(self, position: int) -> Batch | None:
        """Return what is committed past a position as one batch, or None where there is nothing."""
        if position >= self.position:
            return None
        first = bisect_right(self.committed, position, key=lambda batch: batch.end)
        return joined(self.committed[first:]).past(position)

    async def change(self) -> None:
        """Wait until something of the turn is taken to be flushed, or that is over."""
        self.changed.clear()
        await self.changed.wait()

    def take(self) -> Batch:
        """Return everything that is pending as one batch to commit; from here on the turn is being flushed."""
        events, self.pending, self.waiting = self.pending, [], 0
        self.flushing = True
        self.changed.set()
        return Batch.of(str(self.turn), self.position, events, self.kind)

    def fail(self, why: str) -> None:
        """Give the turn up because its events can't be stored, and drop what came after: a transcript has no gaps."""
        self.failure = ColloquyError(f"What Claude said could not be stored. {why}")
        self.pending, self.waiting = [], 0

    @property
    def ended(self) -> bool:
        """Return whether the end of the transcript is committed."""
        return bool(self.committed) and self.committed[-1].last

    @property
    def over(self) -> bool:
        """Return whether nothing more of the turn is written here."""
        return self.lost or self.failure is not None

    def show(self, batch: Batch) -> None:
        """Take in a batch that has been committed: readers may see it now."""
        if self.committed:
            self.committed[-1].forget_encoded()  # most readers are at the end
        self.committed.append(batch)
        self.position = batch.end
        if len(self.committed) > SEPARATE:
            self.committed[:-NEWEST] = [joined(self.committed[:-NEWEST])]
