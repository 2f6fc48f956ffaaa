"""The cost of read requests: a list page, a message page and `GET /api/me/`, compared with a plain DRF view.

    python -m tests.benchmarks.reading [--requests 1000]

The plain view is a scratch project of its own (`plain.py`) with one query and no authentication, on the same database.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time

import aiohttp
import psutil

import tests.environment  # noqa: F401 - before Django's settings are read
from tests.benchmarks.given import prepared, users
from tests.benchmarks.life.statements import Counts, counted
from tests.benchmarks.relays import machine, spent, wait_for

ROWS = 50  # conversations and messages on a page
TOGETHER = 4  # connections


def fill() -> tuple[str, str]:
    """Create a user with a page of conversations, one of which has a page of messages; return a token and its id."""
    from django.contrib.auth.models import Group

    from conversations.models import Conversation, Message

    token, conversations = users(ROWS)
    parent = None
    for number in range(ROWS):
        role = (Message.Role.USER, Message.Role.ASSISTANT)[number % 2]
        content = [{"type": "text", "text": f"Message {number}. " * 20}]
        parent = Message.objects.create(
            conversation_id=conversations[0], parent=parent, role=role, content=content, text=content[0]["text"]
        )
    Conversation.objects.filter(pk=conversations[0]).update(active_leaf=parent)
    Group.objects.bulk_create(Group(name=f"Group {number}") for number in range(ROWS))
    return token, conversations[0]


async def cost(url: str, process: psutil.Process, requests: int, headers: dict[str, str]) -> tuple[float, float]:
    """Return the milliseconds of CPU and of latency (p50) per request of a URL."""
    times: list[float] = []

    async def client(session: aiohttp.ClientSession, number: int) -> None:
        for _ in range(number):
            began = time.monotonic()
            async with session.get(url) as response:
                response.raise_for_status()
                await response.read()
            times.append(time.monotonic() - began)

    async with aiohttp.ClientSession(headers=headers) as session:
        await client(session, 50)
        times.clear()
        before = spent(process)
        await asyncio.gather(*(client(session, requests // TOGETHER) for _ in range(TOGETHER)))
        used = spent(process) - before
    return used / len(times) * 1000, sorted(times)[len(times) // 2] * 1000


async def statements(database: str, upstream: str, paths: dict[str, str], headers: dict[str, str]) -> dict[str, float]:
    """Return the number of statements of each request, its authentication included."""
    from tests.processes import ServerProcess

    found, counts = {}, Counts()
    async with counted(database, counts) as address:
        server = ServerProcess("uvicorn", address, upstream)
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(server.wait)
        async with aiohttp.ClientSession(headers=headers) as session:
            for name, path in paths.items():
                await (await session.get(server.url + path)).read()
                await asyncio.sleep(1)
                before = counts.statements
                for _ in range(20):
                    await (await session.get(server.url + path)).read()
                found[name] = (counts.statements - before) / 20
        server.kill()
    return found


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.reading")
    parser.add_argument("--requests", type=int, default=1000)
    options = parser.parse_args()

    from tests.processes import ServerProcess, free_port

    print(machine(), flush=True)
    with prepared() as database:
        token, conversation = fill()
        headers = {"Authorization": f"Bearer {token}"}
        paths = {
            "a list page": "/api/conversations/",
            "a message page": f"/api/conversations/{conversation}/messages/",
            "GET /api/me/": "/api/me/",
        }
        port = free_port()
        plain = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.plain", str(port)], env={**os.environ, "DATABASE_URL": database}
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/plain/")
            url = f"http://127.0.0.1:{port}/plain/"
            baseline, waited = asyncio.run(cost(url, psutil.Process(plain.pid), options.requests, {}))
        finally:
            plain.kill()
            plain.wait()
        asked = asyncio.run(statements(database, "http://127.0.0.1:1", paths, headers))
        print("| request | CPU | p50 | statements | CPU / plain |\n|---|---|---|---|---|")
        print(f"| a plain DRF view, one query | {baseline:.2f} ms | {waited:.1f} ms | 1 | 1 |")
        with ServerProcess("uvicorn", database, "http://127.0.0.1:1", COLLOQUY_REQUESTS_PER_MINUTE="0") as server:
            process = psutil.Process(server.process.pid)
            for name, path in paths.items():
                used, waited = asyncio.run(cost(server.url + path, process, options.requests, headers))
                print(f"| {name} | {used:.2f} ms | {waited:.1f} ms | {asked[name]:.1f} | {used / baseline:.2f} |")


if __name__ == "__main__":
    main()
