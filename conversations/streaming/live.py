"""The transcript of a running turn in memory: its committed and its pending events."""

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
    """A turn that runs in this process: the committed and the pending events of its transcript."""

    turn: uuid.UUID
    fence: int
    kind: str = "turn"
    """The kind of work that has the transcript (Batch.kind)."""
    position: int = 0
    """The position up to which the transcript is committed and visible to readers."""
    committed: list[Batch] = field(default_factory=list)
    pending: list[Event] = field(default_factory=list)
    waiting: int = 0
    """The number of pending positions."""
    flushing: bool = False
    begun: bool = False
    """Whether a delta was received."""
    lost: bool = False
    """Whether the turn is no longer ours: another process has settled it."""
    failure: ColloquyError | None = None
    """The reason why its events can't be stored; no more of them are written then."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when some of its events are taken for a flush, and when the flush is over."""
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is about to be flushed: its reader of Claude's stream continues now."""

    def since(self, position: int) -> Batch | None:
        """Return the committed events after a position as one batch, or None if there are none."""
        if position >= self.position:
            return None
        first = bisect_right(self.committed, position, key=lambda batch: batch.end)
        return joined(self.committed[first:]).past(position)

    async def change(self) -> None:
        """Wait until events of the turn are taken for a flush, or a flush is over."""
        self.changed.clear()
        await self.changed.wait()

    def take(self) -> Batch:
        """Return all pending events as one batch to commit, and mark the turn as being flushed."""
        events, self.pending, self.waiting = self.pending, [], 0
        self.flushing = True
        self.changed.set()
        return Batch.of(str(self.turn), self.position, events, self.kind)

    def fail(self, why: str) -> None:
        """Give the turn up because its events can't be stored, and drop later ones: a transcript has no gaps."""
        self.failure = ColloquyError(f"What Claude said could not be stored. {why}")
        self.pending, self.waiting = [], 0

    @property
    def ended(self) -> bool:
        """Return whether the end of the transcript is committed."""
        return bool(self.committed) and self.committed[-1].last

    @property
    def over(self) -> bool:
        """Return whether no more of the turn is written here."""
        return self.lost or self.failure is not None

    def show(self, batch: Batch) -> None:
        """Add a committed batch, which readers may see now."""
        if self.committed:
            self.committed[-1].forget_encoded()  # most readers are at the end
        self.committed.append(batch)
        self.position = batch.end
        if len(self.committed) > SEPARATE:
            self.committed[:-NEWEST] = [joined(self.committed[:-NEWEST])]
