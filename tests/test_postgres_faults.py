"""Postgres goes away and comes back: turns finish, no seen text is missing, and the probes tell the truth."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import httpx2
import psycopg
import pytest
from django.db import connection

from conversations.content.folding import fold
from conversations.models import Turn
from conversations.sandbox.server import Sandbox
from tests import clients
from tests.clients import Api
from tests.processes import FAST, IMMEDIATE, ServerProcess, restart_postgres
from tests.waiting import until

pytestmark = pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="only our own Postgres may be restarted")

LEASE = 2


@pytest.fixture(scope="module")
def server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a process whose lease is shorter than the time for which Postgres will be away."""
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_LEASE=str(LEASE)) as process:
        yield process


@pytest.fixture(scope="module")
def another(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a second process, which must not take the first one for dead."""
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_LEASE=str(LEASE)) as process:
        yield process


@pytest.fixture(autouse=True)
def _forget_connections() -> Iterator[None]:
    """Close this process's own connections after a test: they are broken by the restart."""
    yield
    forget_connections()


def forget_connections() -> None:
    connection.close()
    connection.pool.check()  # type: ignore[attr-defined]


def kill_back_ends(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as own:
        for _ in range(5):
            own.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            time.sleep(0.3)


FAULTS = {
    "restarted": lambda database: restart_postgres(FAST),
    "crashed": lambda database: restart_postgres(IMMEDIATE),
    "away for longer than a lease": lambda database: restart_postgres(FAST, away=2.5 * LEASE),
    "its back ends are killed": kill_back_ends,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_turn_streams_on(api: Api, another: ServerProcess, database: str, fault: str) -> None:
    turn = api.begin("[[sandbox: words=100; pace=0.03]]")["id"]
    here: list = []
    reading = threading.Thread(target=lambda: here.extend(api.events(turn)))
    reading.start()
    with Api.of(another.url, api) as elsewhere:
        before = elsewhere.events(turn, limit=10)
        FAULTS[fault](database)
        forget_connections()
        reading.join(30)
        after = elsewhere.events(turn, after=before[-1]["position"])
    assert here[-1]["status"] == "completed"
    assert fold(here) == fold(before + after)
    assert fold(here)[0].content[0]["text"] == " ".join(f"word{n}" for n in range(1, 101))
    assert Turn.objects.get(pk=turn).messages.get().content == fold(here)[0].content


def test_the_probes_tell_the_truth(server: ServerProcess) -> None:
    ready = {"status": "ok", "database": True, "migrations": True, "accepting": True}
    assert clients.get(f"{server.url}/readyz").json() == ready
    outage = threading.Thread(target=restart_postgres, kwargs={"away": 3.0})
    outage.start()
    seen: set[int] = set()
    while outage.is_alive():
        assert clients.get(f"{server.url}/healthz").status_code == 200
        seen.add(clients.get(f"{server.url}/readyz").status_code)
        time.sleep(0.1)
    assert 503 in seen
    assert clients.get(f"{server.url}/readyz").status_code == 200


def refusal(api: Api) -> httpx2.Response | None:
    """Send a request; return the response if it is an error, else None."""
    answer = api.post("conversations/", {})
    return answer if answer.status_code == 503 else None


def test_requests_are_refused_in_the_contracts_shape_meanwhile(api: Api) -> None:
    outage = threading.Thread(target=restart_postgres, kwargs={"away": 5.0})
    outage.start()
    refused = until(lambda: refusal(api))
    outage.join()
    assert refused is not None
    assert refused.json()["error"]["type"] == "overloaded_error"
    assert "retry-after" in refused.headers
    assert api.post("conversations/", {}).status_code == 201
