"""Limits on the resources of a process that one user can take over WebSockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess


@pytest.fixture(scope="module")
def server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a process with low limits."""
    limits = {"COLLOQUY_SOCKETS_PER_USER": "3", "COLLOQUY_FRAMES_PER_MINUTE": "20"}
    with ServerProcess("uvicorn", database, sandbox.url, **limits) as process:
        yield process


def test_one_socket_too_many_is_closed_and_the_others_stay(api: Api, other: Api) -> None:
    with ExitStack() as stack:
        sockets = [stack.enter_context(api.socket()) for _ in range(3)]
        with api.socket() as fourth:
            assert fourth.closed() == 4429
        for socket in sockets:
            socket.send(type="ping")
            assert socket.receive() == {"type": "pong"}
        with other.socket() as another:
            another.send(type="ping")
            assert another.receive() == {"type": "pong"}


def test_a_socket_that_has_left_makes_room(api: Api) -> None:
    for _ in range(6):
        with api.socket() as socket:
            socket.send(type="ping")
            assert socket.receive() == {"type": "pong"}


def test_too_many_frames_close_the_socket(api: Api) -> None:
    with api.socket() as socket:
        for _ in range(20):
            socket.send(type="ping")
            assert socket.receive() == {"type": "pong"}
        socket.send(type="ping")
        assert socket.closed() == 4429


def test_a_frame_too_large_closes_the_socket(api: Api) -> None:
    with api.socket() as socket:
        socket.connection.send("x" * (1024 * 1024 + 1))
        assert socket.closed() == 1009


HANDSHAKE = (
    "GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        (f"Cookie: {'a' * 9000}\r\n\r\n", b"HTTP/1.1 431 "),
        ("X: y\r\n" * 200 + "\r\n", b"HTTP/1.1 431 "),
        ("Content-Length: 5\r\n\r\nhello", b""),
    ],
    ids=["a line over 8 KB", "too many lines", "a body"],
)
def test_a_handshake_that_cannot_be_read_is_refused_and_closed(api: Api, more: str, answer: bytes) -> None:
    url = urlsplit(api.url)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=20) as connection:
        connection.sendall((HANDSHAKE + more).encode())
        said = b""
        while part := connection.recv(65536):
            said += part
        assert said.startswith(answer)
        assert bool(said) == bool(answer)
