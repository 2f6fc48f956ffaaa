"""A reader that does not read costs nothing: its connection is closed, and nobody else is affected."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from conversations.content.transcript import span
from conversations.models import Turn
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess
from tests.waiting import until

MEGABYTE = 1024 * 1024
LONG = 16 * MEGABYTE  # more than all network buffers together hold


@pytest.fixture(scope="module")
def server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a process with a short send timeout."""
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_SEND_TIMEOUT="1") as process:
        yield process


@pytest.fixture
def long(api: Api) -> str:
    """Provide an ended turn whose transcript is longer than any model's answer."""
    turn = Turn.objects.get(pk=api.ask("Hello")["id"])
    piece = turn.pieces.get()
    [delta] = [event for event in piece.events if event["type"] == "content_block_delta"]
    delta["delta"]["text"] = "long " * (LONG // 5)
    turn.position = span(piece.events)
    turn.pieces.update(events=piece.events, end=turn.position)
    turn.save()
    return str(turn.pk)


def stalled(server: ServerProcess, api: Api, path: str) -> socket.socket:
    """Open a connection that requests a path and never reads the response."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {api.token}\r\n\r\n".encode())
    return connection


def is_served(server: ServerProcess, port: int) -> bool:
    """Return whether the server has an open connection from this port."""
    found = psutil.Process(server.process.pid).net_connections("tcp")
    return any(each.status == "ESTABLISHED" and each.raddr and each.raddr.port == port for each in found)


def test_a_stream_that_nobody_reads_is_cut(server: ServerProcess, api: Api, long: str) -> None:
    with stalled(server, api, f"/api/turns/{long}/events/") as connection:
        port = connection.getsockname()[1]
        until(lambda: is_served(server, port))
        until(lambda: not is_served(server, port))


def test_a_socket_that_does_not_read_is_told_so_if_it_ever_reads_on(api: Api, long: str) -> None:
    for seconds in (2.5, 10, 40):  # a busy machine may need longer to begin to send, and to reach the timeout
        with api.socket(max_queue=1) as reader, suppress(TimeoutError):
            reader.send(type="turn.follow", turn=long, after=0)
            reader.receive()
            time.sleep(seconds)
            assert reader.closed(within=5) == 4408
            return
    pytest.fail("it was never told")


def test_many_that_do_not_read_leave_memory_flat_and_others_alone(server: ServerProcess, api: Api, long: str) -> None:
    assert api.events(long)[-1]["type"] == "turn_end"  # the cost of the first reader is not measured
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    connections = [stalled(server, api, f"/api/turns/{long}/events/") for _ in range(30)]
    grown = 0
    for _ in range(10):
        assert api.ask("Hello")["status"] == "completed"
        grown = max(grown, process.memory_info().rss - before)
        time.sleep(0.1)
    for connection in connections:
        connection.close()
    # Rows that are read for one of them serve all of them.
    assert grown < 10 * LONG
