"""Reading the journal's table for all waiting readers, by one statement at a time, like the group commit.

Requests that arrive while a statement runs are served by the next one, so a process with a thousand readers sends
Postgres no more statements than one with ten; readers at the same position share one batch, which is encoded once.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from itertools import groupby, islice
from typing import NamedTuple
from weakref import WeakValueDictionary

import psycopg
from psycopg.rows import TupleRow

from conversations.content.transcript import Batch, joined
from conversations.database import RETRY, connected
from conversations.database_faults import is_lost
from conversations.errors import Deleted
from conversations.models import Turn
from conversations.streaming.tables import TURN_TABLES, TranscriptTables

logger = logging.getLogger(__name__)

AT_ONCE = 200  # places in one statement

Place = tuple[uuid.UUID, int]

# One statement sees one snapshot: if the turn has ended in it, so is the transcript complete.
READ = """
SELECT asked.turn, asked.position, turn.status, piece.start, piece."end", piece.events::text
FROM unnest(%(turns)s::uuid[], %(positions)s::bigint[]) AS asked(turn, position)
LEFT JOIN {work} AS turn ON turn.id = asked.turn
LEFT JOIN {pieces} AS piece ON piece.{column} = asked.turn AND piece."end" > asked.position
ORDER BY asked.turn, asked.position, piece.start
"""


class Found(NamedTuple):
    """The events after a position, and the state of the turn."""

    batch: Batch | None
    ended: bool = False
    """Whether the turn has ended, so that there will be no more events."""
    waits: bool = False
    """Whether the turn waits for the client's tools."""
    deleted: bool = False
    """Whether the turn was deleted."""


class Readers:
    """All readers in this process that read from the table."""

    def __init__(self, tables: TranscriptTables = TURN_TABLES) -> None:
        self._tables = tables
        self._statement = READ.format(work=tables.work, pieces=tables.pieces, column=tables.column)
        self._asked: dict[Place, asyncio.Future[Found]] = {}
        self._any = asyncio.Event()
        self._held: WeakValueDictionary[Place, Batch] = WeakValueDictionary()
        """Batches of ended turns that a reader of this process is still sending, shared by all readers."""

    async def read(self, turn: uuid.UUID, position: int) -> Found:
        """Return the events of a turn after a position as one batch; wait while Postgres is away. Raise Deleted."""
        place = (turn, position)
        held = self._held.get(place)
        if held is not None:
            return Found(held, ended=True)
        if place not in self._asked:
            self._asked[place] = asyncio.get_running_loop().create_future()
            self._any.set()
        # Others may wait for the same result: cancelling one reader must not cancel it for them.
        found = await asyncio.shield(self._asked[place])
        if found.deleted:
            kind = self._tables.kind
            raise Deleted(f"This {kind} has been deleted meanwhile.", details={kind: str(turn)})
        if found.ended and found.batch is not None:
            self._held[place] = found.batch
        return found

    async def serve(self) -> None:
        """Answer requests for pieces of the journal, many by one statement; runs until it is cancelled."""
        connection = await connected()
        while True:
            await self._any.wait()
            asked = {place: self._asked.pop(place) for place in list(islice(self._asked, AT_ONCE))}
            if not self._asked:
                self._any.clear()
            try:
                connection = await self._answer(connection, asked)
            except BaseException as error:
                for waiting in asked.values():
                    if not waiting.done():
                        waiting.set_exception(error)
                raise

    async def _answer(
        self, connection: psycopg.AsyncConnection[TupleRow], asked: dict[Place, asyncio.Future[Found]]
    ) -> psycopg.AsyncConnection[TupleRow]:
        values = {"turns": [turn for turn, _ in asked], "positions": [position for _, position in asked]}
        while True:
            try:
                rows = await (await connection.execute(self._statement, values, prepare=False)).fetchall()
                break
            except psycopg.Error as error:
                if not is_lost(error):
                    raise
                logger.warning("The transcript readers lost their database connection: %s", error)
                await asyncio.sleep(RETRY)
                connection = await connected()
        for place, found in groupby(rows, key=lambda row: (row[0], row[1])):
            if not asked[place].done():
                self._resolve(asked[place], place, list(found))
        return connection

    def _resolve(self, waiting: asyncio.Future[Found], place: Place, rows: list[TupleRow]) -> None:
        """Resolve the waiting requests; a transcript that can't be read fails only its own readers."""
        try:
            waiting.set_result(_found(self._tables, place, rows))
        except Exception as error:
            logger.exception("The transcript of %s %s could not be read", self._tables.kind, place[0])
            waiting.set_exception(error)


def _found(tables: TranscriptTables, place: Place, rows: list[TupleRow]) -> Found:
    turn, position = place
    batches = [
        Batch(str(turn), start, end, tables.decoded(events), tables.kind)
        for *_, start, end, events in rows
        if events is not None
    ]
    status = rows[0][2]
    batch = joined(batches).past(position) if batches else None
    return Found(
        batch,
        ended=status in tables.terminal,
        waits=status == Turn.Status.AWAITING_TOOLS,
        deleted=status is None,
    )
