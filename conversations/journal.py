"""The journal: what turns stream is committed first, and seen after that.

One writer per process takes everything that all its turns produced since the last flush and commits it in one
statement, which also wakes the readers in other processes. The first event of an idle writer is written at once; under
load flushes are `FLUSH` apart, so that the cost per delta falls as the load rises.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import psycopg

from conversations.database import LOST, RETRY, connected
from conversations.models import LostTurn
from conversations.transcript import Batch, Event, encode, is_delta, joined, length, string_of
from conversations.wakes import CHANNEL, Wakes

logger = logging.getLogger(__name__)

FLUSH = 0.02  # seconds between the beginnings of flushes
PENDING_LIMIT = 200_000  # positions of one turn that may wait to be committed before Claude's stream is read slower
SEPARATE = 32  # batches of a turn that are kept as they were committed
TURNS_AT_ONCE = 200  # in one statement: the ids of more do not fit into one notification

# The turn's row is the lock: nothing is written but by the newest holder of a running turn, exactly where it left off.
# Writing the same flush again changes nothing, so a flush whose outcome was lost with the connection is just repeated.
WRITE = f"""
WITH flush AS (
    SELECT * FROM unnest(%(turns)s::uuid[], %(fences)s::bigint[], %(starts)s::bigint[], %(ends)s::bigint[],
                         %(deltas)s::bool[], %(events)s::text[])
    AS flush(turn, fence, start, "end", delta, events)
), held AS (
    UPDATE conversations_turn AS turn
    SET position = flush."end",
        first_delta_at = COALESCE(turn.first_delta_at, CASE WHEN flush.delta THEN clock_timestamp() END)
    FROM flush
    WHERE turn.id = flush.turn AND turn.fence = flush.fence AND turn.status = 'running' AND turn.position = flush.start
    RETURNING flush.*
), written AS (
    INSERT INTO conversations_journal (turn_id, start, "end", events)
    SELECT turn, start, "end", events::json FROM held
    RETURNING turn_id
)
SELECT array_agg(turn_id), pg_notify('{CHANNEL}', 'journal ' || string_agg(replace(turn_id::text, '-', ''), ' '))
FROM written
"""  # noqa: S608 - the channel is a constant

ALREADY_WRITTEN = """
SELECT turn.id FROM conversations_turn AS turn
JOIN unnest(%(turns)s::uuid[], %(fences)s::bigint[], %(ends)s::bigint[]) AS flush(id, fence, "end") USING (id)
WHERE turn.fence = flush.fence AND turn.status = 'running' AND turn.position = flush."end"
"""


@dataclass(eq=False)
class Live:
    """A turn that runs in this process: what is committed of its transcript, and what is not yet."""

    turn: uuid.UUID
    fence: int
    position: int = 0
    """How far the transcript is committed: readers see no further."""
    committed: list[Batch] = field(default_factory=list)
    pending: list[Event] = field(default_factory=list)
    waiting: int = 0
    """How many positions are pending."""
    flushing: bool = False
    lost: bool = False
    """Whether the turn is no longer ours: another process has settled it."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def since(self, position: int) -> Batch | None:
        """What is committed past a position, as one batch."""
        if position >= self.position:
            return None
        first = bisect_right(self.committed, position, key=lambda batch: batch.end)
        return joined(self.committed[first:]).past(position)

    def take(self) -> Batch:
        """Everything that is pending, to be committed."""
        events, self.pending, self.waiting = self.pending, [], 0
        return Batch.of(str(self.turn), self.position, events)

    def show(self, batch: Batch) -> None:
        """A batch has been committed."""
        self.committed.append(batch)
        self.position = batch.end
        if len(self.committed) > SEPARATE:
            # Most readers are at the end; for the few that come late the rest is kept as one, and without its frames.
            half = len(self.committed) // 2
            self.committed[:half] = [joined(self.committed[:half])]


class Journal:
    """The writer of this process, and the memory of what it has committed of the turns that still run."""

    def __init__(self, wakes: Wakes) -> None:
        self._wakes = wakes
        self._live: dict[uuid.UUID, Live] = {}
        self._dirty = asyncio.Event()

    def open(self, turn: uuid.UUID, fence: int) -> Live:
        """Begins the transcript of a turn that this process has claimed."""
        self._live[turn] = Live(turn, fence)
        return self._live[turn]

    async def append(self, live: Live, event: Event) -> None:
        """Adds an event, to be committed with the next flush. Waits while too much is pending; LostTurn if it is."""
        if live.lost:
            raise LostTurn
        if string_of(event) == "":
            return
        live.pending.append(event)
        live.waiting += length(event)
        self._dirty.set()
        while live.waiting > PENDING_LIMIT and not live.lost:
            live.changed.clear()
            await live.changed.wait()

    async def hand_over(self, live: Live) -> list[Event]:
        """The whole transcript, committed or not; from now on nothing more of it is written here."""
        while live.flushing:
            live.changed.clear()
            await live.changed.wait()
        pending, live.pending = live.pending, []
        return [event for batch in live.committed for event in batch.events] + pending

    def close(self, live: Live) -> None:
        """Forgets a turn that has ended; its readers go on from the table."""
        self._live.pop(live.turn, None)
        self._wakes.wake([live.turn])

    def live(self, turn: uuid.UUID) -> Live | None:
        """The turn, if it runs in this process."""
        return self._live.get(turn)

    async def write(self) -> None:
        """Flushes for ever."""
        clock = asyncio.get_running_loop().time
        connection = await connected()
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            began = clock()
            dirty = [live for live in self._live.values() if live.pending]
            for start in range(0, len(dirty), TURNS_AT_ONCE):
                connection = await self._flush(connection, dirty[start : start + TURNS_AT_ONCE])
            await asyncio.sleep(max(0.0, began + FLUSH - clock()))

    async def _flush(self, connection: Connection, lives: list[Live]) -> Connection:
        batches = {live: live.take() for live in lives}
        for live in lives:
            live.flushing = True
        connection, written = await _write(connection, batches)
        for live, batch in batches.items():
            live.flushing = False
            if live.turn in written:
                live.show(batch)
            else:
                live.lost = True
            live.changed.set()
        self._wakes.wake(live.turn for live in lives)
        return connection


Connection = psycopg.AsyncConnection[Any]


async def _write(connection: Connection, batches: dict[Live, Batch]) -> tuple[Connection, set[uuid.UUID]]:
    """Commits the batches, however long Postgres is away. The turns that were still ours, and a working connection."""
    values = {
        "turns": [live.turn for live in batches],
        "fences": [live.fence for live in batches],
        "starts": [batch.start for batch in batches.values()],
        "ends": [batch.end for batch in batches.values()],
        "deltas": [any(map(is_delta, batch.events)) for batch in batches.values()],
        "events": [encode(batch.events) for batch in batches.values()],
    }
    written: set[uuid.UUID] = set()
    while True:
        try:
            row = await (await connection.execute(WRITE, values)).fetchone()
            written.update((row and row[0]) or ())
            if len(written) < len(batches):
                rows = await (await connection.execute(ALREADY_WRITTEN, values)).fetchall()
                written.update(id for (id,) in rows)
            return connection, written
        except LOST as error:
            logger.warning("The journal lost its connection: %s", error)
            await asyncio.sleep(RETRY)
            connection = await connected()
        except psycopg.Error:
            return await _write_singly(connection, batches)


async def _write_singly(connection: Connection, batches: dict[Live, Batch]) -> tuple[Connection, set[uuid.UUID]]:
    """One turn's events can't be stored: it alone is given up, and not those that were flushed with it."""
    if len(batches) == 1:
        logger.exception("The events of turn %s can't be stored", next(iter(batches)).turn)
        return connection, set()
    written: set[uuid.UUID] = set()
    for live, batch in batches.items():
        connection, ours = await _write(connection, {live: batch})
        written |= ours
    return connection, written
