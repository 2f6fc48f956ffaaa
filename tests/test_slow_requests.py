"""A client that does not send the rest of its request is answered 408 and left; one that sends on is not."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess

RECEIVE_TIMEOUT = 4.0  # seconds: a busy machine may stop a client for two of them
HEAD = "POST /api/conversations/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
JSON_BODY = "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
BODY = b'{"title": "Sent slowly"}'


@pytest.fixture(scope="module")
def server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Run a server that waits only shortly for the rest of a request."""
    settings = {"COLLOQUY_RECEIVE_TIMEOUT": str(RECEIVE_TIMEOUT)}
    with ServerProcess("uvicorn", database, sandbox.url, **settings) as process:
        yield process


@contextmanager
def connected(server: ServerProcess) -> Iterator[socket.socket]:
    """Open a connection to the server."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        yield connection


def received(connection: socket.socket) -> bytes:
    """Return what the server sends until it closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def head(api: Api) -> bytes:
    """Return the head of a request for a conversation whose body is `BODY`."""
    return (HEAD.format(token=api.token) + JSON_BODY.format(length=len(BODY))).encode()


@pytest.mark.parametrize("sent", [b"G", b"GET /healthz HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nX-Unfinished: a"])
def test_a_head_that_does_not_come_whole_is_answered_408(server: ServerProcess, sent: bytes) -> None:
    with connected(server) as connection:
        connection.sendall(sent)
        answer = received(connection)
    first_head, _, body = answer.partition(b"\r\n\r\n")
    assert first_head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["error"]["message"] == "The request did not arrive completely within 4 seconds."


def test_a_head_that_comes_byte_by_byte_has_no_more_time(server: ServerProcess) -> None:
    with connected(server) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX-Unfinished: ")
        deadline = time.monotonic() + 60
        while not select.select([connection], [], [], RECEIVE_TIMEOUT / 10)[0]:
            assert time.monotonic() < deadline
            connection.sendall(b"a")
        assert received(connection).startswith(b"HTTP/1.1 408 ")


def test_a_connection_over_which_nothing_comes_is_closed(server: ServerProcess) -> None:
    with connected(server) as connection:
        assert received(connection) == b""


def test_a_body_that_does_not_come_on_is_answered_408_and_does_nothing(server: ServerProcess, api: Api) -> None:
    with connected(server) as connection:
        connection.sendall(head(api) + BODY[:5])
        assert received(connection).startswith(b"HTTP/1.1 408 ")
    assert api.http.get("/api/conversations/").json()["results"] == []


def test_the_next_request_of_a_connection_has_the_same_time(server: ServerProcess) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connected(server) as connection:
        connection.sendall(request + request[:10])
        answers = received(connection)
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert answers.count(b"HTTP/1.1 408 ") == 1


def test_a_body_that_comes_slowly_is_taken(server: ServerProcess, api: Api) -> None:
    with connected(server) as connection:
        connection.sendall(head(api))
        for at in range(0, len(BODY), 6):
            time.sleep(RECEIVE_TIMEOUT / 3)
            connection.sendall(BODY[at : at + 6])
        assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")
    [conversation] = api.http.get("/api/conversations/").json()["results"]
    assert conversation["title"] == "Sent slowly"


def test_a_socket_and_an_answer_that_take_longer_go_on(server: ServerProcess) -> None:
    with Api(server.url) as api, api.socket() as reader:
        assert api.ask(f"Hello [[sandbox: delay={RECEIVE_TIMEOUT * 1.5}]]")["status"] == "completed"
        reader.send(type="ping", ref=1)
        assert reader.receive()["type"] == "pong"
