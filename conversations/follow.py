"""Reading a transcript, live or ended, from any position, on any process."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from conversations.content.transcript import Batch
from conversations.errors import InvalidRequest
from conversations.models import User
from conversations.running.engine import engine
from conversations.streaming.readers import Found
from conversations.streaming.wakes import IdleTimer


class Followable(Protocol):
    """A row of work with a transcript."""

    pk: uuid.UUID
    position: int

    @property
    def ended(self) -> bool:
        """Whether the transcript is complete."""


class Followed(Protocol):
    """A kind of work, other than turns, whose transcripts clients can follow."""

    def find(self, user: User, id: uuid.UUID) -> Followable:
        """Return the user's row with an id. Raises NotFound."""

    def follow(self, id: uuid.UUID, after: int, beat: float | None = None) -> AsyncIterator[Batch | None]:
        """Yield the events after a position, to the end, as `follow` does."""


def check_position(work: Followable, position: int, name: str) -> None:
    """Refuse a position beyond the end of work that has ended; `name` is what the request calls the position.

    Raises InvalidRequest.
    """
    if work.ended and position > work.position:
        kind = type(work).__name__.lower()
        raise InvalidRequest(
            f"{name} is {position}, but this {kind} has ended at position {work.position}.", details={name: "too far"}
        )


def followed(kind: str) -> Followed:
    """Return the `Followed` of a kind of work, imported on first use."""
    found: Followed = import_string(settings.COLLOQUY_FOLLOWED[kind])()
    return found


async def follow(
    turn: uuid.UUID,
    after: int = 0,
    *,
    beat: float | None = None,
    through_waits: bool = True,
    kind: str = "turn",
) -> AsyncIterator[Batch | None]:
    """Yield all events of a turn, or of other work, after a position; each time all available ones, as one batch.

    A reader's only state is its position. While it is busy with a batch nothing is queued for it; the next batch is
    larger. With `beat`, None is yielded after so many seconds of silence. If the process is about to stop, the iterator
    ends before the turn does, and the reader continues from its position on another process. Without `through_waits` it
    also ends if the turn waits for its client's tools. Raise Deleted if the turn is deleted before its end was read.
    """
    here = await engine()
    stream = here.stream(kind)
    position, live = after, None
    with here.wakes.waiting(turn) as news, IdleTimer(news, beat) as idle:
        while True:
            leaving = here.drained
            news.clear()  # before reading: what is committed from here on sets it again
            # A turn that has ended here meanwhile is read to its end from memory.
            live = stream.journal.live(turn) or (live if live and live.ended else None)
            found = Found(live.since(position)) if live else await stream.readers.read(turn, position)
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
