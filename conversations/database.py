"""Access to Postgres from asynchronous code.

There are three ways: `in_database` for the ORM, `on_own_connection` for slow work, and `connect` for the few
connections that live as long as the process (the journal's, the listener's).
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache, partial
from typing import Any, ParamSpec, TypeAlias, TypeVar
from weakref import WeakSet

import psycopg
from django.conf import settings
from django.db import IntegrityError, connection, connections
from django.db.models import Model
from psycopg.rows import TupleRow
from psycopg.types.array import ListBinaryDumper

from conversations import database_faults
from conversations.database_faults import CONTENDED_PAUSE, CONTENDED_TRIES, DATABASE_ERRORS
from conversations.loop_local import LoopLocal

Parameters: TypeAlias = dict[str, Any]
"""The positional placeholder that replaces names in a statement."""

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)

NAMED = re.compile(r"%\((\w+)\)s")
"""A named parameter in a statement."""

RETRY = 0.25  # seconds between attempts while Postgres is unavailable

OPEN: LoopLocal[WeakSet[psycopg.AsyncConnection[TupleRow]]] = LoopLocal()
"""The connections that `connect` has made."""


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run synchronous ORM code in a thread, and return its connection to the pool afterwards."""
    return await in_threads(_threads(), function, *args, **kwargs)


@cache
def _threads() -> ThreadPoolExecutor:
    # Not asgiref's thread-sensitive thread, in which all users' statements would wait for each other (a 1.5 s query of
    # one user delayed another's deltas as long).
    return ThreadPoolExecutor(max_workers=settings.DATABASE_THREADS, thread_name_prefix="database")


async def in_threads(threads: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run synchronous ORM code as `in_database` does, in another thread pool."""

    def call() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()

    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(threads, context.run, call)


def on_own_connection(function: Callable[[], T]) -> T:
    """Run a slow function that uses the ORM, on a connection outside of the pool; return its result.

    It may never release the connection. It runs in a thread of its own, whose connection is replaced.
    """
    own = connections["default"].copy()
    own.settings_dict["OPTIONS"] = {**own.settings_dict["OPTIONS"], "pool": False}
    connections["default"] = own
    try:
        return function()
    finally:
        own.close()


async def persistently(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `in_database`, with retries as long as Postgres is unavailable, and a few times for contention.

    Only for repeatable work. Other errors of the database are converted (database_faults.py); integrity errors are
    raised unchanged.
    """
    name = getattr(function, "__name__", function)
    while True:
        try:
            return await in_database(again_where_contended, partial(function, *args, **kwargs))
        except IntegrityError:
            raise
        except DATABASE_ERRORS as error:
            ours = database_faults.translate(error)
            if ours and not database_faults.is_lost(error):
                logger.exception("%s failed", name)
                raise ours from error
            logger.warning("%s is retried: %s", name, error)
        await asyncio.sleep(RETRY)


def again_where_contended(function: Callable[[], T]) -> T:
    """Run a transaction of synchronous code, with a few retries for contention (such as deadlocks).

    Not within a transaction. Raise the error of the last attempt.
    """
    for tries in range(1, CONTENDED_TRIES):
        try:
            return function()
        except DATABASE_ERRORS as error:
            if not database_faults.is_contended(error):
                raise
            logger.warning("A transaction is retried: %s", error)
        time.sleep(CONTENDED_PAUSE * tries)
    return function()


@lru_cache(512)
def _numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement with numbered parameters instead of named ones, and the names in order.

    Psycopg would parse the names at every use: it caches the result for short statements only.
    """
    numbers = {name: f"${number}" for number, name in enumerate(dict.fromkeys(NAMED.findall(statement)), 1)}
    return NAMED.sub(lambda found: numbers[found[1]], statement), tuple(numbers)


def prepared(statement: str, parameters: Mapping[str, object]) -> list[TupleRow]:
    """Run a server-side prepared statement on Django's connection of this thread.

    Within the caller's transaction, if there is one. Return the rows; none, if the statement returns none. Django's own
    cursor would insert the parameters into the statement's text, which is then parsed and planned anew each time, and
    its loaders of text values take five times as long.
    """
    text, names = _numbered(statement)
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.RawCursor(connection.connection)
        cursor.execute(text, [parameters[name] for name in names], prepare=True, binary=True)
        return cursor.fetchall() if cursor.description else []


async def execute_prepared(
    connection: psycopg.AsyncConnection[TupleRow], statement: str, parameters: Mapping[str, object]
) -> psycopg.AsyncRawCursor[TupleRow]:
    """Run a statement as `prepared` does, on an asynchronous connection; return its cursor."""
    text, names = _numbered(statement)
    cursor = psycopg.AsyncRawCursor(connection)
    return await cursor.execute(text, [parameters[name] for name in names], prepare=True, binary=True)


def copy_in(rows: Sequence[Model], names: Collection[str]) -> None:
    """Insert rows of one model by COPY, with these fields; the others get the database's defaults.

    Within the caller's transaction, in the order of the rows. It takes a fraction of the time of `bulk_create`.
    """
    if not rows:
        return
    options = rows[0]._meta
    fields = [field for field in options.concrete_fields if field.name in names]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    statement = f'COPY "{options.db_table}" ({columns}) FROM STDIN'.encode()
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection).copy(statement) as copy:
        for row in rows:
            values = ((field, getattr(row, field.attname)) for field in fields)
            copy.write_row([field.get_db_prep_save(value, connection) for field, value in values])


async def mend_pool() -> None:
    """Replace the pool's connections that Postgres has dropped.

    By itself the pool would find them one by one on use, and wait longer after each.
    """
    await asyncio.get_running_loop().run_in_executor(_threads(), _check_pool)


def _check_pool() -> None:
    pool = connection.pool  # type: ignore[attr-defined]
    if pool is not None and not pool.closed:
        pool.check()


async def renew_pool() -> None:
    """Replace the pool's connections, and with them the buffers that large statements and rows have left behind."""
    await asyncio.get_running_loop().run_in_executor(_threads(), _drain_pool)


def _drain_pool() -> None:
    pool = connection.pool  # type: ignore[attr-defined]
    if pool is not None and not pool.closed:
        pool.drain()


PLANNED_ONCE = "plan_cache_mode = force_generic_plan"
"""For a connection of prepared statements: they are planned once, for whatever values.

Left to itself Postgres may plan them anew at each use, which takes it longer than to run them.
"""


async def connected(*settings: str) -> psycopg.AsyncConnection[TupleRow]:
    """Open a connection as `connect` does, with these Postgres settings; retry as long as Postgres is unavailable."""
    while True:
        try:
            made = await connect()
            for setting in settings:
                await made.execute(f"SET {setting}")
            return made
        except psycopg.Error as error:
            if not database_faults.is_lost(error):
                raise
            logger.warning("Waiting for Postgres: %s", error)
            await asyncio.sleep(RETRY)


async def connect() -> psycopg.AsyncConnection[TupleRow]:
    """Open a separate connection to the default database, in autocommit mode."""
    # Not in one of the database's threads: they may all be taken by statements that wait for a lock of one user, and
    # the connections that write everybody's turns could not be replaced before that lock is released.
    params = await asyncio.to_thread(_connection_params)
    made = await psycopg.AsyncConnection.connect(**params, autocommit=True)
    # As text, every string of an array would be searched for characters to quote, and JSON is full of them.
    made.adapters.register_dumper(list, ListBinaryDumper)
    (OPEN.get() or OPEN.set(WeakSet())).add(made)
    return made


async def close_connections() -> None:
    """Close the connections that `connect` has opened in the running event loop."""
    for each in list(OPEN.pop() or ()):
        await each.close()


def _connection_params() -> dict[str, Any]:
    params: dict[str, Any] = connection.get_connection_params()
    # These connections don't need Django's cursors and type adapters, and prepare statements.
    return {key: params[key] for key in params.keys() - {"cursor_factory", "context", "prepare_threshold"}}
