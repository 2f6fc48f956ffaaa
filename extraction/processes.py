"""Child processes for tasks that may be too expensive, killed when they exceed their limits."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Self
from weakref import WeakValueDictionary

from conversations.loop_local import LoopLocal

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
INHERITED = ("LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "VIRTUAL_ENV")
"""The environment variables that a process gets: none of the platform's secrets."""
LONGEST = 1 << 30  # bytes of a reply
TIMERS = (signal.SIGPROF, signal.SIGALRM)


class GivenUp(Exception):
    """A task took too long, or too much memory; the message says which."""


class TaskProcess:
    """A process that runs a module of the project, and answers each line of its stdin by one of its stdout.

    The module limits itself: it is called with the seconds of CPU time that a task may take and the megabytes that the
    process may use, ends by SIGPROF or SIGALRM after the former, and with status 0 only where it was not at a task.
    """

    def __init__(self, process: asyncio.subprocess.Process, seconds: float, megabytes: int) -> None:
        self._process = process
        self._seconds = seconds
        self._megabytes = megabytes

    @classmethod
    async def start(cls, module: str, seconds: float, megabytes: int) -> Self:
        """Start a process with the module."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, str(seconds), str(megabytes)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT,
            env={name: os.environ[name] for name in INHERITED if name in os.environ},
            limit=LONGEST,
        )
        return cls(process, seconds, megabytes)

    async def reply_to(self, task: str) -> str | None:
        """Run a task, which is one line, and return the reply; None if the process had ended before.

        Raises GivenUp where the task made it end. In either case, or cancelled, it is of no use any more.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        if stdin.is_closing() or self._process.returncode is not None:
            return None
        try:
            stdin.write(f"{task}\n".encode())
            await stdin.drain()
            reply = await stdout.readline()
        except ConnectionError:
            reply = b""
        if reply.endswith(b"\n"):
            return reply.decode()
        status = await self._process.wait()
        if status == 0:
            return None
        logger.warning("A document task was aborted: its process ended with status %s", status)
        most = f"{self._seconds:g} seconds" if -status in TIMERS else f"{self._megabytes} MB of memory"
        raise GivenUp(f"It was aborted, since it needed more than {most}.")

    async def end(self) -> None:
        """Kill the process, whatever it is doing."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Pool:
    """The processes that run a module, started on demand.

    An owner has one running task at a time, and queues for a process behind the other owners' present tasks only: an
    owner with endless tasks delays nobody else for longer than one task may take.
    """

    def __init__(self, module: str, *, most: int, seconds: float, megabytes: int) -> None:
        """Take the maximal number of processes, and the limits of each task."""
        self._limits = (module, seconds, megabytes)
        self._places = asyncio.Semaphore(most)
        self._idle: list[TaskProcess] = []
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def reply_to(self, owner: Hashable, task: str) -> str:
        """Run an owner's task, which is one line, and return the reply. Raise GivenUp."""
        turn = self._turns.setdefault(owner, asyncio.Lock())
        async with turn, self._places:
            while self._idle:
                reply = await self._have_done(self._idle.pop(), task)
                if reply is not None:
                    return reply
            reply = await self._have_done(await TaskProcess.start(*self._limits), task)
            assert reply is not None, "a process that has just begun is not idle"
            return reply

    async def _have_done(self, process: TaskProcess, task: str) -> str | None:
        try:
            reply = await process.reply_to(task)
        except BaseException:
            await asyncio.shield(process.end())
            raise
        if reply is not None:
            self._idle.append(process)
        return reply

    async def close(self) -> None:
        """End the idle processes."""
        while self._idle:
            await self._idle.pop().end()


class Pools:
    """A pool for each event loop, created on first use."""

    def __init__(self, make: Callable[[], Pool]) -> None:
        self._make = make
        self._of_loop: LoopLocal[Pool] = LoopLocal()

    def here(self) -> Pool:
        """Return the pool of the running event loop."""
        return self._of_loop.get() or self._of_loop.set(self._make())

    async def close(self) -> None:
        """End the processes of the running event loop."""
        pool = self._of_loop.pop()
        if pool is not None:
            await pool.close()
