"""The writer that begins a process's plain turns, in groups."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

import psycopg
from django.db import OperationalError
from psycopg.rows import TupleRow

from conversations import database_faults
from conversations.database import PLANNED_ONCE, RETRY, connected, execute_prepared
from conversations.services.turns.begin_statements import (
    BeginResult,
    Ground,
    begin_parameters,
    begin_result,
    begin_statement,
    ground_statement,
    grounds_of,
    grounds_values,
)
from conversations.services.turns.plain_turn_begin import Draft, PlainBeginning
from conversations.services.turns.turn_begin import Asker, Created

logger = logging.getLogger(__name__)

AT_ONCE = 50  # beginnings in one transaction
PATIENCE = 5.0  # seconds that a transaction may take before its connection is given up
LOCK_PATIENCE = 100  # milliseconds that it may wait for a lock that the statements can't skip

Connection = psycopg.AsyncConnection[TupleRow]


class _Waiting(NamedTuple):
    who: Asker
    plain: PlainBeginning
    begun: asyncio.Future[Created | None]


class _Stored(NamedTuple):
    """The result for a turn; it is stored once the transaction is committed."""

    waiting: _Waiting
    draft: Draft
    result: BeginResult


class BeginWriter:
    """The queue of turns to begin, and its writer."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._any = asyncio.Event()
        self.connected = asyncio.Event()
        """Whether turns can be begun together: without a connection each is begun by itself, or says why it is not."""

    async def begin(self, who: Asker, plain: PlainBeginning) -> Created | None:
        """Store a turn together with others; return None if it must be begun individually.

        Raise the errors of `PlainBeginning.draft`, and OperationalError if the turn may or may not have been stored.
        """
        if not self.connected.is_set():
            return None
        waiting = _Waiting(who, plain, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._any.set()
        return await waiting.begun

    async def serve(self) -> None:
        """Store waiting turns, for ever."""
        connection = await self._connected()
        try:
            while True:
                await self._any.wait()
                batch = self._waiting[:AT_ONCE]
                del self._waiting[:AT_ONCE]
                if not self._waiting:
                    self._any.clear()
                try:
                    if not await self._store(connection, batch):
                        connection = await self._reconnected(batch)
                        await self._store(connection, [each for each in batch if not each.begun.done()])
                finally:
                    # Whatever happened, no caller waits for ever: turns that were not stored are begun step by step.
                    _give_up(batch)
        finally:
            self._nobody_may_wait()
            await connection.close()

    async def _connected(self) -> Connection:
        """Return a new connection, retrying as long as Postgres is unavailable."""
        connection = await connected(f"lock_timeout = {LOCK_PATIENCE}", PLANNED_ONCE)
        self.connected.set()
        return connection

    async def _reconnected(self, batch: list[_Waiting]) -> Connection:
        """Replace a lost connection; if that takes long, return waiting turns to their callers."""
        try:
            async with asyncio.timeout(RETRY):
                return await self._connected()
        except TimeoutError:
            _give_up(batch)
            self._nobody_may_wait()
            return await self._connected()

    def _nobody_may_wait(self) -> None:
        self.connected.clear()
        _give_up(self._waiting)
        self._waiting = []

    async def _store(self, connection: Connection, batch: list[_Waiting]) -> bool:
        """Store turns, and resolve their futures; return whether the connection still works."""
        if not batch:  # after a commit whose outcome was lost, which all callers have been told
            return True
        stored: list[_Stored] = []
        try:
            # Without BEGIN, the end of the pipeline would commit statements from before an exception of ours.
            async with asyncio.timeout(PATIENCE), connection.pipeline():
                await connection.execute("BEGIN", prepare=False)
                stored = await _written(connection, batch)
                await connection.execute("COMMIT", prepare=False)
            for waiting, draft, result in stored:
                if result.begun and not waiting.begun.done():
                    waiting.begun.set_result(draft.created(result))
        except (psycopg.Error, TimeoutError) as error:
            logger.warning("%d turns could not be begun in one statement: %s", len(batch), error)
            if isinstance(error, TimeoutError) or database_faults.is_lost(error):
                await connection.close()
            else:
                stored = []  # the server has reported that nothing was committed
                await connection.rollback()
        finally:
            _say_unsure(stored)
        return not connection.closed


async def _written(connection: Connection, batch: list[_Waiting]) -> list[_Stored]:
    """Read the data for the turns, and store them, in a pipeline; return the results of those that could be tried."""
    queries = [each.who.ground_query(each.plain.conversation) for each in batch]
    read = await execute_prepared(connection, ground_statement(many=True), grounds_values(queries))
    grounds = grounds_of(await read.fetchall(), len(batch))
    drafts = [(each, draft) for each, ground in zip(batch, grounds, strict=True) if (draft := _draft(each, ground))]
    values = begin_parameters([draft.values for _, draft in drafts])
    rows = await (await execute_prepared(connection, begin_statement(plain=True), values)).fetchall()
    return [
        _Stored(each, draft, begin_result(draft.turn, row)) for (each, draft), row in zip(drafts, rows, strict=True)
    ]


def _draft(waiting: _Waiting, ground: Ground | None) -> Draft | None:
    try:
        return waiting.plain.draft(waiting.who, ground) if ground else None
    except Exception as error:  # noqa: BLE001 - whatever it was, it is told to who asked for this turn, and to nobody else
        if not waiting.begun.done():
            waiting.begun.set_exception(error)
        return None


def _say_unsure(stored: list[_Stored]) -> None:
    """Report to the callers without a result that their turns may or may not have been stored."""
    for waiting, _, result in stored:
        if result.begun and not waiting.begun.done():
            waiting.begun.set_exception(OperationalError("The answer to the commit was lost."))


def _give_up(batch: list[_Waiting]) -> None:
    for each in batch:
        if not each.begun.done():
            each.begun.set_result(None)
