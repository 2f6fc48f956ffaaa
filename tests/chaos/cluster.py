"""The processes of a round, and the faults that are injected into them."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
from collections import Counter
from typing import Self

import psycopg

from tests.processes import FAST, IMMEDIATE, ServerProcess, restart_postgres

ENVIRONMENT = {
    "COLLOQUY_LEASE": "2",
    "COLLOQUY_DRAIN": "2",
    "COLLOQUY_SEND_TIMEOUT": "3",
    "COLLOQUY_LOG_LEVEL": "ERROR",
    "COLLOQUY_DATABASE_POOL": "10",
}


class Cluster:
    """Two web processes, one of which runs turns, and one process that runs turns and serves no HTTP."""

    def __init__(self, database: str, claude: str) -> None:
        self._database = database
        self.web = [
            ServerProcess("uvicorn", database, claude, **ENVIRONMENT),
            ServerProcess("uvicorn", database, claude, **ENVIRONMENT, COLLOQUY_RUN_TURNS="false"),
        ]
        self.processes = [*self.web, ServerProcess("runner", database, claude, **ENVIRONMENT)]
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        for process in self.processes:
            process.start()
        for process in self.processes:
            process.wait()
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes:
            process.process.send_signal(signal.SIGCONT)
            process.process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.__exit__()

    @property
    def urls(self) -> list[str]:
        return [process.url for process in self.web]

    async def strike(self, fault: str, dice: random.Random) -> None:
        """Inject one of `FAULTS`, and repair it."""
        self.counts[fault] += 1
        await getattr(self, f"_{fault}")(dice)

    async def _kill(self, dice: random.Random) -> None:
        process = dice.choice(self.processes)
        process.kill()
        await asyncio.sleep(dice.uniform(0, 1))
        await self._again(process)

    async def _restart(self, dice: random.Random) -> None:
        process = dice.choice(self.processes)
        process.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.process.wait, 10)
        except subprocess.TimeoutExpired:
            raise AssertionError("a process did not end within its limit after SIGTERM") from None
        await self._again(process)

    async def _again(self, process: ServerProcess) -> None:
        await asyncio.to_thread(process.start)
        await asyncio.to_thread(process.wait)

    async def _stop(self, dice: random.Random) -> None:
        process = dice.choice(self.processes)
        process.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(dice.choice((0.3, 1.0, 4.0)))  # the last one is much longer than a lease
        process.process.send_signal(signal.SIGCONT)

    async def _back_ends(self, dice: random.Random) -> None:
        with psycopg.connect(self._database, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    async def _postgres(self, dice: random.Random) -> None:
        mode, away = dice.choice((FAST, IMMEDIATE)), dice.choice((0.0, 0.5, 2.5))
        await asyncio.to_thread(restart_postgres, mode, away)


FAULTS = ("kill", "kill", "restart", "stop", "stop", "back_ends", "postgres")
