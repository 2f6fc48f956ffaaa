"""The journal: turns' events are committed first, and sent to readers after that.

Each process has one writer, which commits the events of many turns in one statement, and notifies readers on other
processes by it. A turn's first delta is written at once, with the events before it, and so is any delta if the writer
is idle. After that, flushes that take all turns are `CALM` apart. If there are too many turns for that, flushes are
`FLUSH` apart and take the turns in rotation: each turn is read from Claude, committed and published once per
`ROTATION`. So several deltas share the cost.
"""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from collections.abc import Collection
from itertools import islice

import psycopg
from psycopg.rows import TupleRow

from conversations import database_faults
from conversations.content.transcript import Batch, encode, is_delta, length
from conversations.contract.transcript_events import Event
from conversations.database import RETRY, connected
from conversations.database_faults import CONTENDED_PAUSE, CONTENDED_TRIES
from conversations.models import LostTurn
from conversations.streaming.live import LiveTranscript
from conversations.streaming.tables import TURN_TABLES, TranscriptTables
from conversations.streaming.wakes import CHANNEL, Wakes, wait_for_news

logger = logging.getLogger(__name__)

CALM = 0.1  # seconds from the beginning of a flush that took all turns to that of the next
FLUSH = 0.02  # seconds from the beginning of a flush that left some for the next
ROTATION = 0.12  # seconds in which each turn is flushed once, however many there are: a delta waits half as long
TURNS_AT_ONCE = 40  # that are flushed together though fewer would do for `ROTATION`
TOLD_AT_ONCE = 200  # turns whose ids fit into one notification
STEPS = 4  # of the event loop, from waking those who read from Claude until they have appended what there was
PENDING_LIMIT = 200_000  # positions of one turn that may wait to be committed before Claude's stream is read slower
# The turn's row is the lock: only the newest holder of a running turn can write, exactly where the transcript ends.
# Repeating a flush changes nothing, so one whose outcome was lost with the connection is repeated.
WRITE = """
WITH flush AS (
    SELECT * FROM unnest(%(turns)b::uuid[], %(fences)b::bigint[], %(starts)b::bigint[], %(ends)b::bigint[],
                         %(deltas)b::bool[], %(events)b::text[])
    AS flush(turn, fence, start, "end", delta, events)
), held AS (
    UPDATE {work} AS turn
    SET position = flush."end"{first_delta}
    FROM flush
    WHERE turn.id = flush.turn AND turn.fence = flush.fence AND turn.status = 'running' AND turn.position = flush.start
    RETURNING flush.*
), written AS (
    INSERT INTO {pieces} ({column}, start, "end", events)
    SELECT turn, start, "end", events::json FROM held
    RETURNING {column}
)
SELECT array_agg({column}), pg_notify('{channel}', 'journal ' || string_agg(replace({column}::text, '-', ''), ' '))
FROM written
"""
FIRST_DELTA = """,
        first_delta_at = COALESCE(turn.first_delta_at, CASE WHEN flush.delta THEN clock_timestamp() END)"""

ALREADY_WRITTEN = """
SELECT turn.id FROM {work} AS turn
JOIN unnest(%(turns)b::uuid[], %(fences)b::bigint[], %(ends)b::bigint[]) AS flush(id, fence, "end") USING (id)
WHERE turn.fence = flush.fence AND turn.status = 'running' AND turn.position = flush."end"
"""


Connection = psycopg.AsyncConnection[TupleRow]


class Journal:
    """The journal's writer in this process, with the transcripts of running turns in memory."""

    def __init__(self, wakes: Wakes, tables: TranscriptTables = TURN_TABLES) -> None:
        self._wakes = wakes
        self._kind = tables.kind
        first_delta = FIRST_DELTA if tables.first_delta else ""
        names = {"work": tables.work, "pieces": tables.pieces, "column": tables.column}
        self._statement = WRITE.format(**names, first_delta=first_delta, channel=CHANNEL)
        self._already_written = ALREADY_WRITTEN.format(**names)
        self._live: dict[uuid.UUID, LiveTranscript] = {}
        self._any = asyncio.Event()
        self._hurry = asyncio.Event()
        self._urgent: set[LiveTranscript] = set()
        self._waiting: dict[LiveTranscript, None] = {}
        """Those with something pending, or more to read, in the order in which it is their turn."""
        self._away = False

    def open(self, turn: uuid.UUID, fence: int, events: list[Event]) -> LiveTranscript:
        """Open the transcript of a turn that this process has claimed, at its beginning or after these events."""
        live = self._live[turn] = LiveTranscript(turn, fence, self._kind)
        if events:
            live.show(Batch.of(str(turn), 0, events, self._kind))
        self._wakes.own(turn)
        return live

    async def append(self, live: LiveTranscript, events: list[Event]) -> None:
        """Add events to be committed with the next flush. Raise LostTurn if the turn is not ours any more.

        Raise ColloquyError if the events can't be stored.

        After a delta it waits until the turn is about to be flushed, so that everything that Claude sends meanwhile is
        read at once. While Postgres is unavailable it does not wait, up to a limit, since Claude's stream would time
        out.
        """
        _check_ours(live)
        for event in events:
            self._add(live, event)
        self._waiting[live] = None
        if live.begun:
            self._any.set()
        else:
            # The first delta is expected soon, and would otherwise wait until these are committed by themselves.
            asyncio.get_running_loop().call_later(CALM, self._look)
        if events and is_delta(events[-1]) and not self._away:
            live.wanted.clear()
            await live.wanted.wait()
        while live.waiting > PENDING_LIMIT and not live.over:
            await live.change()

    async def commit(self, live: LiveTranscript) -> None:
        """Wait until all appended events are committed. Raise as `append`."""
        while (live.pending or live.flushing) and not live.over:
            self._urgent.add(live)
            self._hurry.set()
            self._any.set()
            await live.change()
        _check_ours(live)

    def _look(self) -> None:
        if self._waiting:
            self._any.set()

    def _add(self, live: LiveTranscript, event: Event) -> None:
        size = length(event)
        if size == 0:
            return
        live.pending.append(event)
        live.waiting += size
        if not live.begun and is_delta(event):
            live.begun = True
            self._urgent.add(live)
            self._hurry.set()

    async def transcript(self, live: LiveTranscript) -> list[Event]:
        """Return the whole transcript so far, committed or not."""
        while live.flushing:
            await live.change()
        return [event for batch in live.committed for event in batch.events] + live.pending

    async def hand_over(self, live: LiveTranscript) -> list[Event]:
        """Return the whole transcript, and write no more of it here."""
        events = await self.transcript(live)
        live.pending = []
        return events

    def close(self, live: LiveTranscript) -> None:
        """Forget an ended turn; its readers continue from the table."""
        self._live.pop(live.turn, None)
        self._wakes.disown(live.turn)

    def live(self, turn: uuid.UUID) -> LiveTranscript | None:
        """Return the turn's transcript in memory if the turn runs in this process, else None."""
        return self._live.get(turn)

    async def write(self) -> None:
        """Flush until cancelled: first deltas, which readers wait for, then turns that have waited longest."""
        clock = asyncio.get_running_loop().time
        connection, due = await connected(), 0.0
        while True:
            await self._any.wait()
            if due > clock():
                await wait_for_news(self._hurry, due - clock())
            self._hurry.clear()
            began = clock()
            lives = self._next(0 if began < due else self._share())
            if began >= due:
                due = began + (FLUSH if self._waiting else CALM)
            await self._gather(lives)
            connection = await self._flush(connection, lives)
            if not self._waiting:
                self._any.clear()

    def _share(self) -> int:
        """Return the number of turns per flush, so that all are flushed within `ROTATION`."""
        return max(TURNS_AT_ONCE, math.ceil(len(self._waiting) * FLUSH / ROTATION))

    def _next(self, number: int) -> list[LiveTranscript]:
        """Take from the queue the turns whose first delta is pending, and at most `number` of the others."""
        others = islice((live for live in self._waiting if live not in self._urgent), number)
        lives = [*self._urgent, *others][:TOLD_AT_ONCE]
        self._urgent.clear()
        for live in lives:
            self._waiting.pop(live, None)
        return lives

    async def _gather(self, lives: list[LiveTranscript]) -> None:
        """Let the readers of Claude's streams add what has arrived meanwhile, so that this flush includes it."""
        for live in lives:
            live.wanted.set()
        for _ in range(STEPS):
            await asyncio.sleep(0)

    async def _flush(self, connection: Connection, lives: list[LiveTranscript]) -> Connection:
        batches = {live: live.take() for live in lives if live.pending}
        if not batches:
            return connection
        connection, written = await self._commit(connection, batches)
        for live, batch in batches.items():
            live.flushing = False
            if live.turn in written:
                live.show(batch)
            elif live.failure is None:
                live.lost = True
            live.changed.set()
        self._wakes.wake(live.turn for live in batches)
        return connection

    async def _commit(
        self, connection: Connection, batches: dict[LiveTranscript, Batch]
    ) -> tuple[Connection, Collection[uuid.UUID]]:
        """Commit the batches, retrying as long as Postgres is unavailable; return the turns that are still ours.

        Also return a working connection. A turn whose events can't be stored is failed.
        """
        contended = 0
        while True:
            try:
                return connection, await self._write(connection, batches)
            except psycopg.Error as error:
                contended += database_faults.is_contended(error)
                if database_faults.is_lost(error):
                    connection = await self._reconnected(error)
                elif database_faults.is_contended(error) and contended < CONTENDED_TRIES:
                    await asyncio.sleep(CONTENDED_PAUSE * contended)
                elif len(batches) == 1:
                    live = next(iter(batches))
                    logger.exception("The events of turn %s could not be stored", live.turn)
                    live.fail(str(database_faults.translate(error)))
                    return connection, ()
                else:
                    return await self._commit_singly(connection, batches)

    async def _reconnected(self, error: psycopg.Error) -> Connection:
        logger.warning("The journal lost its database connection: %s", error)
        self._away = True
        for live in self._live.values():
            live.wanted.set()
        await asyncio.sleep(RETRY)
        connection = await connected()
        self._away = False
        return connection

    async def _commit_singly(
        self, connection: Connection, batches: dict[LiveTranscript, Batch]
    ) -> tuple[Connection, Collection[uuid.UUID]]:
        """Commit the batches one by one, so that only a turn whose events can't be stored is given up."""
        written: set[uuid.UUID] = set()
        for live, batch in batches.items():
            connection, ours = await self._commit(connection, {live: batch})
            written.update(ours)
        return connection, written

    async def _write(self, connection: Connection, batches: dict[LiveTranscript, Batch]) -> Collection[uuid.UUID]:
        """Commit the batches in one statement; return the turns that are still ours."""
        values = {
            "turns": [live.turn for live in batches],
            "fences": [live.fence for live in batches],
            "starts": [batch.start for batch in batches.values()],
            "ends": [batch.end for batch in batches.values()],
            "deltas": [any(map(is_delta, batch.events)) for batch in batches.values()],
            "events": [encode(batch.events) for batch in batches.values()],
        }
        # Never prepared: a generic plan for any number of turns would scan all of them for each.
        row = await (await connection.execute(self._statement, values, prepare=False)).fetchone()
        written = set((row and row[0]) or ())
        if len(written) < len(batches):
            rows = await (await connection.execute(self._already_written, values)).fetchall()
            written.update(id for (id,) in rows)
        return written


def _check_ours(live: LiveTranscript) -> None:
    """Raise LostTurn if a turn is not ours any more, or the error that prevents storing its events."""
    if live.lost:
        raise LostTurn
    if live.failure:
        raise live.failure
