"""How long importing and exporting 10,000 messages takes: of claude.ai, of ChatGPT, and as our own archives.

    python -m tests.benchmarks.archives --messages 10000

Each archive is made in memory, of conversations with ten messages of 60 words, and sent to a real server process.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import httpx2
import psutil

import tests.environment  # noqa: F401 - before Django's settings are read
from tests.archives.samples import claude_conversation, gpt_conversation, node, said, zipped
from tests.benchmarks.given import prepared, users
from tests.benchmarks.relays import machine, spent, spent_by_postgres

OF_ONE = 10  # messages of a conversation
WORDS = 60  # of a message


@dataclass
class Figures:
    """The cost of one transfer, in seconds."""

    wall: float
    server: float
    """CPU seconds of the server process, which may also index messages for the search meanwhile."""
    database: float


def text(chance: random.Random) -> str:
    return " ".join(f"word{chance.randrange(20_000)}" for _ in range(WORDS))


def claude(count: int) -> bytes:
    """Return an export of claude.ai with `count` messages."""
    chance = random.Random(1)

    def talk(number: int) -> object:
        messages = [
            said(f"{number}-{at}", f"{number}-{at - 1}" if at else None, ("human", "assistant")[at % 2], text(chance))
            for at in range(OF_ONE)
        ]
        return claude_conversation(str(number), *messages, name=f"Talk {number}")

    return zipped({"conversations.json": [talk(number) for number in range(count // OF_ONE)]})


def chatgpt(count: int) -> bytes:
    """Return an export of ChatGPT with `count` messages."""
    chance = random.Random(2)

    def talk(number: int) -> object:
        nodes = [
            node(f"n{at}", f"n{at - 1}" if at else "root", ("user", "assistant")[at % 2], text(chance))
            for at in range(OF_ONE)
        ]
        return gpt_conversation(str(number), *nodes, title=f"Talk {number}")

    return zipped({"conversations.json": [talk(number) for number in range(count // OF_ONE)]})


def measured(process: psutil.Process, transfer: Callable[[], object]) -> Figures:
    before, began = (spent(process), spent_by_postgres()), time.monotonic()
    transfer()
    return Figures(time.monotonic() - began, spent(process) - before[0], spent_by_postgres() - before[1])


def imported(url: str, token: str, archive: bytes, count: int) -> None:
    """Upload an archive, and return when it is imported."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/zip"}
    with httpx2.Client(base_url=url, headers=headers, timeout=600) as client:
        job = client.post("/api/me/import/", content=archive).raise_for_status().json()
        while not job["finished_at"]:
            time.sleep(0.02)
            job = client.get(f"/api/me/imports/{job['id']}/").json()
    assert job["messages"] + job["skipped"] * OF_ONE >= count, job


def exported(url: str, token: str) -> bytes:
    return httpx2.get(f"{url}/api/me/export/", headers={"Authorization": f"Bearer {token}"}, timeout=600).content


def measure_all(url: str, process: psutil.Process, count: int) -> Iterator[tuple[str, Figures]]:
    """Yield the name and the figures of each transfer."""
    first, second, third = (users(0)[0] for _ in range(3))
    for name, archive, token in (("claude.ai", claude(count), first), ("ChatGPT", chatgpt(count), second)):
        transfer = partial(imported, url, token, archive, count)
        yield f"{name}, imported", measured(process, transfer)
        yield f"{name}, imported again", measured(process, transfer)
    found: list[bytes] = []
    yield "exported", measured(process, lambda: found.append(exported(url, first)))
    yield "our own, imported", measured(process, lambda: imported(url, third, found[0], count))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.archives")
    parser.add_argument("--messages", type=int, default=10_000)
    count = parser.parse_args().messages

    from tests.processes import ServerProcess

    sys.stdout.write(f"{machine()}\n\n| {count} messages | wall | CPU | CPU of Postgres |\n|---|---|---|---|\n")
    with prepared() as database, ServerProcess("uvicorn", database, "http://127.0.0.1:1") as server:
        for name, each in measure_all(server.url, psutil.Process(server.process.pid), count):
            sys.stdout.write(f"| {name} | {each.wall:.1f} s | {each.server:.1f} s | {each.database:.1f} s |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
