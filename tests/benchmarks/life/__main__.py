"""What a turn costs from its beginning to its end, compared with an Express relay that stores nothing.

    python -m tests.benchmarks.life [--long 400x150] [--short 2000x5] [--rate 25] [--only sse|ws]

Turns are begun all at once and at a steady rate, over SSE and over WebSocket, on one server process, and at the end on
two; everything runs on this machine, the upstream and the clients included. The steady state of long streams is
`python -m tests.benchmarks`.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, replace
from statistics import median

import psutil
import uvloop

import tests.environment  # noqa: F401 - before Django's settings are read
from tests.benchmarks.given import paced_upstream, prepared, users
from tests.benchmarks.life.clients import Times, converse
from tests.benchmarks.life.statements import Counts, counted
from tests.benchmarks.life.workers import compare
from tests.benchmarks.load import Kind
from tests.benchmarks.relays import express, machine, spent, spent_by_postgres

NAMES: dict[Kind, str] = {"sse": "Colloquy, SSE", "ws": "Colloquy, WebSocket", "express": "Express"}
SINGLE = 40  # turns that are begun one after the other, on an idle server
BUSY = 200  # streams that run while others begin
BUSY_RATE, BUSY_TURNS = 10, 100  # turns begun a second beside them, and how many in all
BURST = 100  # turns begun at once, of which the last one's first delta counts
BURSTS = 5  # repetitions, since a single burst is too short to measure: their medians are reported
WARM = 50  # turns that every server has run before it is measured
REST = 3.0  # seconds after them, for background work that they have caused
COUNTED = 50  # turns whose statements are counted, in sequence and at once
UNLIMITED = {
    "COLLOQUY_SOCKETS_PER_USER": "100000",
    "COLLOQUY_TURNS_PER_MINUTE": "0",
    "COLLOQUY_CONCURRENT_TURNS": "0",
    "COLLOQUY_TOKENS_PER_MINUTE": "0",
    "COLLOQUY_REQUESTS_PER_MINUTE": "0",
}


@dataclass(frozen=True)
class Relay:
    """A relay to measure: its process, its port, and how clients talk to it."""

    kind: Kind
    process: psutil.Process
    port: int
    token: str
    database: bool

    async def conversations(self, number: int) -> tuple[str, list[str]]:
        """Create a user with `number` conversations; return token and ids. (Placeholders for Express.)"""
        from asgiref.sync import sync_to_async

        return await sync_to_async(users)(number) if self.database else ("", ["-"] * number)

    async def run(self, turns: int, deltas: int, rate: float | None = None) -> tuple[Times, float, float, float]:
        """Run turns; return their times, and the seconds of CPU of the process and of Postgres, and of wall time."""
        token, conversations = await self.conversations(turns)
        cpu, postgres, began = spent(self.process), spent_by_postgres() if self.database else 0.0, time.monotonic()
        times = await converse(self.kind, self.port, token, conversations, deltas, rate)
        took = time.monotonic() - began
        used = spent_by_postgres() - postgres if self.database else 0.0
        return times, spent(self.process) - cpu, used, took


@dataclass(frozen=True)
class Figures:
    """The cost of one scenario: milliseconds of CPU per turn, turns per second, milliseconds of latency."""

    cpu: float
    postgres: float
    rate: float
    p50: float
    p99: float
    last: float


@dataclass(frozen=True)
class Scenario:
    """A number of turns of a number of deltas, begun all at once or at a rate."""

    turns: int
    deltas: int
    rate: float | None = None
    runs: int = 1
    """Number of runs, whose medians are reported."""

    def __str__(self) -> str:
        return f"{self.turns} x {self.deltas}, " + (f"{self.rate:.0f}/s" if self.rate else "at once")


async def figures(relay: Relay, scenario: Scenario) -> Figures:
    """Measure one scenario."""
    runs = [await _figures(relay, scenario) for _ in range(scenario.runs)]
    return Figures(*(median(values) for values in zip(*map(astuple, runs), strict=True)))


async def _figures(relay: Relay, scenario: Scenario) -> Figures:
    times, cpu, postgres, took = await relay.run(scenario.turns, scenario.deltas, scenario.rate)
    first, turns = sorted(times.first), scenario.turns
    return Figures(
        cpu / turns * 1000, postgres / turns * 1000, turns / took, *(1000 * _at(first, p) for p in (0.5, 0.99, 1))
    )


async def warm_up(relay: Relay) -> None:
    """Run some turns, so that what is measured is a server in use."""
    await relay.run(WARM, 5)
    await asyncio.sleep(REST)


def _at(values: list[float], part: float) -> float:
    """Return the quantile `part` (0 to 1) of sorted values."""
    return values[min(len(values) - 1, int(len(values) * part))]


async def idle(relay: Relay) -> float:
    """Return the median of milliseconds to the first delta, of turns that run alone."""
    times = [(await relay.run(1, 5))[0].first[0] for _ in range(SINGLE)]
    return 1000 * _at(sorted(times), 0.5)


async def busy(relay: Relay) -> float:
    """Return the 99th percentile of milliseconds to the first delta, of turns that begin while streams run."""
    token, conversations = await relay.conversations(BUSY)
    streams = asyncio.ensure_future(
        converse(relay.kind, relay.port, token, conversations, 30 * (BUSY_TURNS // BUSY_RATE + 15), BUSY / 5)
    )
    await asyncio.sleep(8)
    times, *_ = await relay.run(BUSY_TURNS, 5, BUSY_RATE)
    await streams
    return 1000 * _at(sorted(times.first), 0.99)


async def statements(upstream: str, database: str, kind: Kind) -> tuple[Counts, Counts]:
    """Return the statements and transactions of `COUNTED` turns in sequence, and of as many that begin at once.

    One user begins them, whose token the server has cached. The statements of an idle server are subtracted.
    """
    counts = Counts()
    async with counted(database, counts) as address, colloquy(kind, upstream, address) as relay:
        token, (known, *conversations) = await relay.conversations(1 + 2 * COUNTED)
        await converse(kind, relay.port, token, [known], 5)
        await asyncio.sleep(REST)
        in_sequence, at_once = [[each] for each in conversations[:COUNTED]], [conversations[COUNTED:]]
        found = [await _counted(relay, counts, token, begun) for begun in (in_sequence, at_once)]
    return found[0], found[1]


async def _counted(relay: Relay, counts: Counts, token: str, begun: list[list[str]]) -> Counts:
    """Return what turns in these conversations send to Postgres, those of each list at once, indexing included."""
    before, began = replace(counts), time.monotonic()
    for conversations in begun:
        await converse(relay.kind, relay.port, token, conversations, 5)
    await asyncio.sleep(REST)
    after, took = replace(counts), time.monotonic() - began
    await asyncio.sleep(took)
    return after.less(before).less(counts.less(after))


@asynccontextmanager
async def colloquy(kind: Kind, upstream: str, database: str) -> AsyncIterator[Relay]:
    """Run the platform as `manage.py serve` does, and warm it up; yield it."""
    from tests.processes import ServerProcess

    server = ServerProcess("uvicorn", database, upstream, **UNLIMITED)
    await asyncio.to_thread(server.start)
    try:
        await asyncio.to_thread(server.wait)
        relay = Relay(kind, psutil.Process(server.process.pid), server.port, "", database=True)
        await warm_up(relay)
        yield relay
    finally:
        server.kill()


async def measure(upstream: str, database: str, scenarios: list[Scenario], kinds: list[Kind]) -> None:
    """Measure every scenario on every relay, and print the table and the ratios."""
    found: dict[tuple[Kind, Scenario], Figures] = {}
    singles: dict[Kind, float] = {}
    if shutil.which("node"):
        with express(upstream) as (process, port):
            relay = Relay("express", process, port, "", database=False)
            await warm_up(relay)
            singles["express"] = await idle(relay)
            for scenario in scenarios:
                found["express", scenario] = await figures(relay, scenario)
            print(f"Express: first delta p99 with {BUSY} streams running: {await busy(relay):.0f} ms", flush=True)
    direct = Relay("direct", psutil.Process(), int(upstream.rsplit(":", 1)[1]), "", database=False)
    singles["direct"] = await idle(direct)
    for kind in kinds:
        for scenario in scenarios:
            async with colloquy(kind, upstream, database) as relay:
                found[kind, scenario] = await figures(relay, scenario)
        async with colloquy(kind, upstream, database) as relay:
            singles[kind] = await idle(relay)
            print(f"{NAMES[kind]}: first delta p99 with {BUSY} streams running: {await busy(relay):.0f} ms", flush=True)
        for how, counts in zip(("in sequence", "at once"), await statements(upstream, database, kind), strict=True):
            print(
                f"{NAMES[kind]}, {COUNTED} x 5 {how}: {counts.statements / COUNTED:.1f} statements, "
                f"{counts.transactions / COUNTED:.1f} transactions a turn",
                flush=True,
            )
    show(found, scenarios, [kind for kind in NAMES if (kind, scenarios[0]) in found])
    for kind, single in singles.items():
        print(
            f"first delta on an idle server, {NAMES.get(kind, 'direct to the upstream')}: {single:.1f} ms p50, "
            f"{single - singles['direct']:.1f} ms over a direct call"
        )


def show(found: dict[tuple[Kind, Scenario], Figures], scenarios: list[Scenario], kinds: list[Kind]) -> None:
    """Print a table of all figures, and the ratio of each to Express."""
    print(
        "| turns | | CPU a turn | of Postgres | turns/s "
        "| first delta p50 | p99 | last | CPU / Express | with Postgres | last / Express |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for scenario in scenarios:
        baseline = found.get(("express", scenario))
        for kind in kinds:
            each = found[kind, scenario]
            ratio = each.cpu / baseline.cpu if baseline else float("nan")
            whole = (each.cpu + each.postgres) / baseline.cpu if baseline else float("nan")
            last = each.last / baseline.last if baseline else float("nan")
            print(
                f"| {scenario} | {NAMES[kind]} | {each.cpu:.1f} ms | {each.postgres:.1f} ms | {each.rate:.0f} "
                f"| {each.p50:.0f} ms | {each.p99:.0f} ms | {each.last:.0f} ms | {ratio:.2f} | {whole:.2f} "
                f"| {last:.2f} |"
            )


def _size(text: str) -> tuple[int, int]:
    turns, deltas = text.split("x")
    return int(turns), int(deltas)


def main() -> None:
    """Read the options, measure and print."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.life")
    parser.add_argument("--long", type=_size, default=(400, 150), help="turns x deltas")
    parser.add_argument("--short", type=_size, default=(2000, 5), help="turns x deltas")
    parser.add_argument("--rate", type=float, default=25, help="turns begun a second, in the steady scenario")
    parser.add_argument("--only", choices=("sse", "ws"))
    options = parser.parse_args()

    scenarios = [
        Scenario(*options.long),
        Scenario(*options.short),
        Scenario(BURST, 30, runs=BURSTS),
        Scenario(options.short[0] // 4, options.short[1], options.rate),
    ]
    print(machine(), flush=True)
    kinds: list[Kind] = [options.only] if options.only else ["sse", "ws"]
    with prepared() as database, paced_upstream() as upstream:
        uvloop.run(measure(upstream, database, scenarios, kinds))
        for kind in kinds:
            uvloop.run(compare(kind, upstream, database, scenarios[1].turns, scenarios[1].deltas, UNLIMITED))


if __name__ == "__main__":
    main()
