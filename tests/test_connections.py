"""No socket, stream or turn holds a database connection, and nobody waits for another user's query."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from django.db import connection

from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess

POOL = 4  # with one thread for the database besides those for requests

WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
LOSE_IDLE = """
    SELECT pg_terminate_backend(pid, 10000 /* ms to wait for its end */) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle'
"""


@pytest.fixture(scope="module")
def server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a process with a small connection pool."""
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_DATABASE_POOL=str(POOL)) as process:
        yield process


def test_more_sockets_streams_and_turns_than_connections(api: Api) -> None:
    with ExitStack() as stack:
        turns = [api.begin("[[sandbox: words=100; pace=0.02]]")["id"] for _ in range(3 * POOL)]
        sockets = [stack.enter_context(api.socket()) for _ in range(3 * POOL)]
        streams = [
            stack.enter_context(api.http.stream("GET", f"/api/turns/{turn}/events/", timeout=30)) for turn in turns
        ]
        for turn, socket in zip(turns, sockets, strict=True):
            socket.send(type="turn.follow", turn=turn, after=0)
        assert api.get("me/").status_code == 200
        assert all(stream.status_code == 200 for stream in streams)
        for socket in sockets:
            assert socket.until("turn_end")[-1]["status"] == "completed"


def test_one_users_slow_query_holds_up_nobodys_deltas(api: Api, other: Api, database: str) -> None:
    conversation = api.conversation()
    with psycopg.connect(database) as locking:
        locking.execute("SELECT 1 FROM conversations_conversation WHERE id = %s FOR UPDATE", [conversation])
        with api.socket() as socket:
            for _ in range(3):  # each of these waits for the lock
                socket.send(type="turn.create", conversation=conversation, content="Hello")
            turn = other.begin("[[sandbox: words=30; pace=0.02]]")["id"]
            assert other.events(turn)[-1]["status"] == "completed"  # while they still do
            locking.rollback()
            assert socket.until("turn_end")[-1]["status"] == "completed"


def test_lost_connections_are_replaced_while_slow_queries_have_all_threads(api: Api, other: Api, database: str) -> None:
    conversation = api.conversation()
    with psycopg.connect(database) as locking, psycopg.connect(database, autocommit=True) as watching:
        locking.execute("SELECT 1 FROM conversations_conversation WHERE id = %s FOR UPDATE", [conversation])
        with api.socket() as socket:
            socket.send(type="turn.create", conversation=conversation, content="Hello")
            while not watching.execute(WAITING).fetchall():
                time.sleep(0.02)
            connection.close()
            watching.execute(LOSE_IDLE)
            turn = other.begin("Hello")["id"]
            assert other.events(turn)[-1]["status"] == "completed"  # while it still waits
            locking.rollback()
            assert socket.until("turn_end")[-1]["status"] == "completed"
    connection.pool.check()  # type: ignore[attr-defined]
