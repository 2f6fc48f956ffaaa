"""What one user may take of a process over WebSockets is limited."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess


@pytest.fixture(scope="module")
def server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """A process with low limits."""
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
