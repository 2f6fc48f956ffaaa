"""How much readers that stop reading cost the other readers and the server.

    python -m tests.benchmarks.stalled

450 readers follow 15 live turns. Then 50 more ask for a long transcript and read it, and 50 ask for it and never do.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import psutil
import uvloop

import tests.environment  # noqa: F401 - before Django's settings are read
from tests.benchmarks.given import paced_upstream, prepared, users
from tests.benchmarks.load import Measured, Reader, begin

TURNS, READERS, STALLED = 15, 450, 50
LONG = 8 * 1024 * 1024  # characters: more than all buffers on the way take, and far more than any model says
SECONDS = 15.0
MEGABYTE = 1024 * 1024


def main() -> None:
    """Measure, and print the figures."""
    from tests.processes import ServerProcess

    with prepared() as database:
        token, conversations = users(TURNS + 1)
        with (
            paced_upstream() as upstream,
            ServerProcess("uvicorn", database, upstream, COLLOQUY_SOCKETS_PER_USER="1000") as server,
        ):
            long = long_turn(conversations.pop())
            uvloop.run(measure(psutil.Process(server.process.pid), server.port, token, conversations, long))
            server.kill()


def long_turn(conversation: str) -> str:
    """Create an ended turn whose transcript is longer than any model's answer; return its id."""
    from conversations.content.transcript import span
    from conversations.models import Conversation, Message, Piece, Turn

    row = Conversation.objects.get(pk=conversation)
    asked = Message.objects.create(conversation=row, role="user", content=[])
    delta = {"type": "text_delta", "text": "long " * (LONG // 5)}
    events: list[Any] = [
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "turn_end", "status": "completed"},
    ]
    turn = Turn.objects.create(
        conversation=row, user=row.owner, user_message=asked, model="-", status="completed", position=span(events)
    )
    Piece.objects.create(turn=turn, start=0, end=span(events), events=events)
    return str(turn.pk)


async def measure(server: psutil.Process, port: int, token: str, conversations: list[str], long: str) -> None:
    """Print the healthy readers' latency and the server's memory, before and while others do not read."""
    await begin("sse", port, token, conversations, 1)
    turns = await asyncio.to_thread(turns_of, conversations)
    healthy = Measured()
    for number in range(READERS):
        await follow(port, token, turns[number % TURNS], healthy)
    await asyncio.sleep(8)
    await watch(server, healthy, "alone")
    reading = asyncio.gather(*(read_to_the_end(port, token, long) for _ in range(STALLED)))
    before = await watch(server, healthy, "with 50 that read a long transcript")
    await reading
    connections = [stall(port, token, long) for _ in range(STALLED)]
    leaving = asyncio.create_task(left(server, ports(connections)))
    during = await watch(server, healthy, "with 50 that do not read")
    print(f"memory: {during / before:.2f} times; the last of the 50 was left after {await leaving:.1f} s")


async def watch(server: psutil.Process, healthy: Measured, when: str) -> float:
    """Return the server's peak memory in MB over `SECONDS`; print it with the healthy readers' latency."""
    del healthy.latencies[:]
    healthy.measuring, most, until = True, 0.0, time.monotonic() + SECONDS
    while time.monotonic() < until:
        most = max(most, server.memory_info().rss / MEGABYTE)
        await asyncio.sleep(0.2)
    healthy.measuring = False
    found = sorted(healthy.latencies)
    p50, p99 = found[len(found) // 2] / 1e6, found[len(found) * 99 // 100] / 1e6
    print(f"{when}: {most:.0f} MB at most; healthy readers p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    return most


def turns_of(conversations: list[str]) -> list[str]:
    """Return the ids of the turns in these conversations."""
    from django.db import connection

    from conversations.models import Turn

    found = [str(id) for id in Turn.objects.filter(conversation__pk__in=conversations).values_list("pk", flat=True)]
    connection.close()
    return found


def request(token: str, turn: str) -> bytes:
    """Return the request by which a reader follows a turn, as bytes."""
    path = f"/api/turns/{turn}/events/"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def follow(port: int, token: str, turn: str, measured: Measured) -> None:
    """Connect a healthy reader."""
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: Reader(request(token, turn), b"", measured), "127.0.0.1", port)


async def read_to_the_end(port: int, token: str, turn: str) -> None:
    """Read a turn's whole transcript once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(token, turn))
    while b"turn_end" not in await reader.read(MEGABYTE):
        pass
    writer.close()


def stall(port: int, token: str, turn: str) -> socket.socket:
    """Open a connection that requests a stream and never reads it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(request(token, turn))
    return connection


def ports(connections: list[socket.socket]) -> set[int]:
    """Return the clients' port numbers."""
    return {connection.getsockname()[1] for connection in connections}


async def left(server: psutil.Process, peers: set[int]) -> float:
    """Return the seconds until the server has closed its connections to all of the peers."""
    began = time.monotonic()
    await asyncio.sleep(2)  # until they all are there
    while peers & connected(server):  # noqa: ASYNC110 - another process is watched
        await asyncio.sleep(0.2)
    return time.monotonic() - began


def connected(server: psutil.Process) -> set[int]:
    """Return the client ports of the server's open connections."""
    return {each.raddr.port for each in server.net_connections("tcp") if each.status == "ESTABLISHED" and each.raddr}


if __name__ == "__main__":
    main()
