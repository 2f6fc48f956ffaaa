"""Throughput of two processes compared with one, and what limits it on this machine."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass

import psutil

from tests.benchmarks.life.clients import converse
from tests.benchmarks.load import Kind
from tests.benchmarks.relays import spent_by_all, spent_by_postgres
from tests.processes import ServerProcess

WARM = 20  # turns that both processes share before the measured ones


@dataclass(frozen=True)
class Throughput:
    """Turns per second, and how many cores each part of the system kept busy meanwhile."""

    rate: float
    servers: float
    postgres: float
    others: float
    """The clients, the upstream, and whatever else runs on the machine."""

    def __str__(self) -> str:
        cores = (
            f"{self.servers:.2f} for the servers, {self.postgres:.2f} for PostgreSQL, {self.others:.2f} for the rest"
        )
        return f"{self.rate:.0f} turns a second; of {os.cpu_count()} cores {cores}"


async def throughput(
    kind: Kind, server: ServerProcess, token: str, conversations: list[str], deltas: int
) -> Throughput:
    """Measure turns that begin all at once, after a warm-up."""
    process = psutil.Process(server.process.pid)
    await converse(kind, server.port, token, conversations[:WARM], deltas)
    began, busy = time.monotonic(), _busy()
    servers, postgres = spent_by_all(process), spent_by_postgres()
    await converse(kind, server.port, token, conversations[WARM:], deltas)
    took = time.monotonic() - began
    servers, postgres = spent_by_all(process) - servers, spent_by_postgres() - postgres
    others = _busy() - busy - servers - postgres
    return Throughput((len(conversations) - WARM) / took, servers / took, postgres / took, others / took)


def _busy() -> float:
    """Return the seconds for which the machine's cores have been busy, summed over all cores."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


async def compare(
    kind: Kind, upstream: str, database: str, turns: int, deltas: int, environment: dict[str, str]
) -> None:
    """Print the turns per second of one process and of two, their ratio, and which processes used the cores."""
    from asgiref.sync import sync_to_async

    from tests.benchmarks.given import users

    found = {}
    for server_kind, name in (("uvicorn", "one process"), ("two workers", "serve --workers 2")):
        token, conversations = await sync_to_async(users)(turns + WARM)
        server = ServerProcess(server_kind, database, upstream, **environment)
        await asyncio.to_thread(server.start)
        try:
            await asyncio.to_thread(server.wait)
            found[name] = await throughput(kind, server, token, conversations, deltas)
        finally:
            await asyncio.to_thread(server.__exit__)
        print(f"{kind}, {turns} x {deltas} at once, {name}: {found[name]}", flush=True)
    one, two = found.values()
    print(f"{kind}: two processes begin and end {two.rate / one.rate:.2f} times the turns of one", flush=True)
