"""How long Claude's answer goes on after a stop: from the client's request until the upstream connection is closed.

    python -m tests.benchmarks.stopping

Ten turns run at a time and are stopped at once, over REST, at the process that runs them and at another one.
"""

from __future__ import annotations

import argparse
import asyncio
import time
import uuid
from typing import TYPE_CHECKING

import aiohttp

import tests.environment  # noqa: F401 - before Django's settings are read
from tests.benchmarks.given import prepared, users

if TYPE_CHECKING:
    from conversations.sandbox.server import Sandbox

TOGETHER = 10
STREAMED = 0.5  # seconds that a turn streams before it is stopped


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.stopping")
    parser.add_argument("--turns", type=int, default=200)
    options = parser.parse_args()

    from conversations.sandbox.server import running_sandbox
    from tests.processes import ServerProcess

    with prepared() as database:
        token, _ = users(1)
        with (
            running_sandbox() as sandbox,
            ServerProcess("uvicorn", database, sandbox.url) as runs,
            ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_RUN_TURNS="false") as web,
        ):
            for stops in (runs, web):
                asyncio.run(measure(sandbox, runs.url, stops.url, token, options.turns))


async def measure(sandbox: Sandbox, runs: str, stops: str, token: str, turns: int) -> None:
    """Stop `turns` turns that run at `runs` by requests to `stops`, and print how long their answers went on."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        latencies = []
        for _ in range(turns // TOGETHER):
            each = (stopped(session, sandbox, runs, stops) for _ in range(TOGETHER))
            latencies += await asyncio.gather(*each)
    latencies.sort()
    p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
    where = "the same process" if runs == stops else "another process"
    print(f"stopped at {where}: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms ({len(latencies)} turns)")


async def stopped(session: aiohttp.ClientSession, sandbox: Sandbox, runs: str, stops: str) -> float:
    """Begin a turn and stop it; return the seconds until its upstream connection was closed."""
    mark = uuid.uuid4().hex
    async with session.post(f"{runs}/api/conversations/", json={"system": mark}) as response:
        conversation = (await response.json())["id"]
    body = {"content": "[[sandbox: words=2000; pace=0.02]]"}
    async with session.post(f"{runs}/api/conversations/{conversation}/turns/", json=body) as response:
        turn = (await response.json())["id"]
    await asyncio.sleep(STREAMED)
    asked = time.time()
    async with session.post(f"{stops}/api/turns/{turn}/cancel/") as response:
        response.raise_for_status()
    while True:
        for request in reversed(sandbox.requests):
            if (request.body or {}).get("system") == mark and request.finished_at:
                return request.finished_at - asked
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    main()
