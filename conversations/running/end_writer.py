"""The writer that ends a process's plain turns, in groups."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

import psycopg
from psycopg.rows import TupleRow

from conversations import database_faults
from conversations.database import PLANNED_ONCE, RETRY, Parameters, connected, execute_prepared
from conversations.services.turns.end_statement import end_statement

logger = logging.getLogger(__name__)

AT_ONCE = 50  # endings in one transaction
PATIENCE = 10.0  # seconds that a transaction may take before its connection is given up

Connection = psycopg.AsyncConnection[TupleRow]


class _Waiting(NamedTuple):
    parameters: Parameters
    written: asyncio.Future[bool]


class EndWriter:
    """The queue of turns to end, and its writer."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._any = asyncio.Event()

    async def write(self, parameters: Parameters) -> bool:
        """Commit an ending, retrying as long as Postgres is unavailable.

        Return whether it was written; it was not if the turn is not ours any more, if more has to be written with it,
        or if Postgres does not accept its values.
        """
        waiting = _Waiting(parameters, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._any.set()
        return await waiting.written

    async def serve(self) -> None:
        """Write waiting endings, for ever."""
        connection = await connected(PLANNED_ONCE)
        while True:
            await self._any.wait()
            # Ordered by user, whose daily sums are locked: processes that write endings of several users can't
            # deadlock.
            batch = sorted(self._waiting[:AT_ONCE], key=lambda each: each.parameters["user"])
            del self._waiting[:AT_ONCE]
            if not self._waiting:
                self._any.clear()
            # A budget may apply to several users: do not hold its lock while waiting for another one.
            alone = [[each] for each in batch if each.parameters["under_budget"]]
            together = [each for each in batch if not each.parameters["under_budget"]]
            try:
                for part in [together, *alone] if together else alone:
                    connection = await self._commit(connection, part)
            finally:
                # Whatever happened, no caller waits for ever: turns that were not written are ended step by step.
                for each in batch:
                    if not each.written.done():
                        each.written.set_result(False)

    async def _commit(self, connection: Connection, batch: list[_Waiting]) -> Connection:
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    written = await _write(connection, [each.parameters for each in batch])
                break
            except (psycopg.Error, TimeoutError) as error:
                if isinstance(error, TimeoutError) or database_faults.is_lost(error):
                    logger.warning("The writer of turn ends lost its database connection: %s", error)
                    await asyncio.sleep(RETRY)
                    connection = await connected(PLANNED_ONCE)
                elif len(batch) == 1:
                    logger.warning(
                        "The end of turn %s could not be written in one statement, and is written step by step: %s",
                        batch[0].parameters["id"],
                        error,
                    )
                    written = [False]
                    break
                else:
                    for each in batch:
                        connection = await self._commit(connection, [each])
                    return connection
        for each, is_written in zip(batch, written, strict=True):
            if not each.written.done():
                each.written.set_result(is_written)
        return connection


async def _write(connection: Connection, endings: list[Parameters]) -> list[bool]:
    """Commit endings together, in one round trip; return which of them were written.

    The statements of one pipeline are one transaction, without statements to begin and to end it.
    """
    async with connection.pipeline():
        cursors = [await execute_prepared(connection, end_statement(), each) for each in endings]
    return [cursor.rowcount > 0 for cursor in cursors]
