from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import time
from dataclasses import dataclass
from typing import NamedTuple

import psutil
import uvloop

import tests.environment  # noqa: F401 - before Django's settings are read
from tests.benchmarks.given import paced_upstream, prepared, users
from tests.benchmarks.load import Kind, Measured, begin
from tests.benchmarks.relays import express, machine, spent

SETTLE = 3.0  # seconds between the last beginning and the measurement
RAMP = 25  # streams that begin in a second
MORE, LATER = 40, 4  # streams that begin when all the others are steady, and how many of them in a second


@dataclass
class Figures:
    """The cost of one way of relaying."""

    name: str
    cpu: float
    """Microseconds of CPU per delta, of the relay's process."""
    database_cpu: float
    deltas: float
    """Deltas per second that the clients received."""
    p50: float
    p99: float
    """Milliseconds from the upstream to the client, of a delta."""
    first: float
    """Milliseconds to the first delta, p50, of streams that begin while the others run."""
    memory: float
    """Kilobytes of the relay's memory per stream."""
    rows: float
    flushes: float
    """Commits per second."""


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks")
    parser.add_argument("--streams", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--only", choices=("sse", "ws", "express"))
    options = parser.parse_args()

    with prepared() as database, paced_upstream() as upstream:
        found = uvloop.run(measure_all(upstream, database, options.streams, options.seconds, options.only))
    show(found, options.streams)


async def measure_all(upstream: str, database: str, streams: int, seconds: float, only: Kind | None) -> list[Figures]:
    """Measure every way of relaying in turn, against the same upstream."""
    found: list[Figures] = []
    for kind in ("sse", "ws"):
        if only in (None, kind):
            found.append(await colloquy(kind, upstream, database, streams, seconds))
    if shutil.which("node") and only in (None, "express"):
        with express(upstream) as (relay, port):
            found.append(await measure("express", relay, port, "", ["-"] * (streams + MORE), seconds, None))
    return found


async def colloquy(kind: Kind, upstream: str, database: str, streams: int, seconds: float) -> Figures:
    """Measure the platform, run as by `manage.py serve`."""
    from asgiref.sync import sync_to_async

    from tests.processes import ServerProcess

    server = ServerProcess("uvicorn", database, upstream, COLLOQUY_SOCKETS_PER_USER="100000")
    with server:
        token, conversations = await sync_to_async(users)(streams + MORE)
        try:
            return await measure(
                kind, psutil.Process(server.process.pid), server.port, token, conversations, seconds, database
            )
        finally:
            server.kill()


async def measure(
    kind: Kind,
    relay: psutil.Process,
    port: int,
    token: str,
    conversations: list[str],
    seconds: float,
    database: str | None,
) -> Figures:
    """Start all streams, wait until they are steady, and return what they cost during `seconds`."""
    conversations, more = conversations[:-MORE], conversations[-MORE:]
    await begin(kind, port, token, conversations[:1], 0.1)  # what is loaded at first use is no stream's cost
    await asyncio.sleep(1)
    before = relay.memory_info().rss
    measured = await begin(kind, port, token, conversations[1:], len(conversations) / RAMP)
    await all_begun(measured, len(conversations) - 1)
    await asyncio.sleep(SETTLE)
    cost = await cost_of(measured, relay, database, seconds)
    memory = (relay.memory_info().rss - before) / 1024 / len(conversations)
    # Further streams begin while the others run.
    late = await begin(kind, port, token, more, len(more) / LATER)
    await all_begun(late, len(more))
    deltas = len(measured.latencies)
    latencies = sorted(measured.latencies)
    return Figures(
        name={"sse": "Colloquy, SSE", "ws": "Colloquy, WebSocket", "express": "Express relay"}[kind],
        cpu=cost.cpu / deltas * 1e6,
        database_cpu=cost.database_cpu / deltas * 1e6,
        deltas=deltas / cost.took,
        p50=latencies[deltas // 2] / 1e6,
        p99=latencies[deltas * 99 // 100] / 1e6,
        first=statistics.median(late.first) / 1e6,
        memory=memory,
        rows=cost.rows / cost.took,
        flushes=cost.flushes / cost.took,
    )


async def all_begun(measured: Measured, number: int) -> None:
    """Wait until this number of streams have received their first delta."""
    while len(measured.first) < number:  # noqa: ASYNC110 - a number is awaited, not an event
        await asyncio.sleep(0.1)


class Cost(NamedTuple):
    """The cost of all streams together while they were measured; times in seconds."""

    cpu: float
    database_cpu: float
    rows: int
    flushes: int
    took: float


async def cost_of(measured: Measured, relay: psutil.Process, database: str | None, seconds: float) -> Cost:
    """Let the streams run for `seconds`; return what they cost meanwhile."""
    rows, flushes, postgres = journal(database)
    cpu, began = spent(relay), time.monotonic()
    measured.measuring = True
    await asyncio.sleep(seconds)
    measured.measuring = False
    cpu, took = spent(relay) - cpu, time.monotonic() - began
    rows_after, flushes_after, postgres_after = journal(database)
    return Cost(cpu, postgres_after - postgres, rows_after - rows, flushes_after - flushes, took)


def journal(database: str | None) -> tuple[int, int, float]:
    """Return the journal's rows, the transactions that wrote them, and the CPU seconds that Postgres has used."""
    if database is None:
        return 0, 0, 0.0
    import psycopg

    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT count(*), count(DISTINCT xmin::text) FROM conversations_journal").fetchone()
        pids = connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").fetchall()
    assert found
    return found[0], found[1], sum(spent(psutil.Process(pid)) for (pid,) in pids)


def show(found: list[Figures], streams: int) -> None:
    """Print the table, and the ratios to the relay that stores nothing."""
    print(f"{streams} streams of 30 deltas/s; {machine()}\n")
    print(
        "| | CPU per delta | of Postgres | deltas/s | added p50 | p99 | first delta p50 | memory per stream | rows/s "
        "| flushes/s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for each in found:
        print(
            f"| {each.name} | {each.cpu:.0f} us | {each.database_cpu:.0f} us | {each.deltas:.0f} | {each.p50:.1f} ms "
            f"| {each.p99:.1f} ms | {each.first:.1f} ms | {each.memory:.0f} KB | {each.rows:.0f} | {each.flushes:.0f} |"
        )
    baseline = next((each for each in found if each.name == "Express relay"), None)
    for each in found:
        if baseline and each is not baseline:
            print(f"\n{each.name}: {each.cpu / baseline.cpu:.2f} times the CPU per delta of the Express relay")


if __name__ == "__main__":
    main()
