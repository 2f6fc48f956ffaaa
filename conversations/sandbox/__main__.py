"""`python -m conversations.sandbox`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import fasteners

from conversations.sandbox.server import PACE, Sandbox

LOOK = 0.5  # seconds between looks whether anybody uses it


def main() -> None:
    """Serve until a signal, or until no process uses the sandbox any more."""
    parser = argparse.ArgumentParser(description="A sandbox of Claude's Messages API.")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; 0 chooses a free one")
    parser.add_argument("--pace", type=float, default=float(os.environ.get("COLLOQUY_SANDBOX_PACE") or PACE))
    parser.add_argument("--port-file", type=Path, help="a file to which the port is written")
    parser.add_argument("--while-locked", help="a file; stop when no process holds a lock on it any more")
    asyncio.run(serve(parser.parse_args()))


async def serve(options: argparse.Namespace) -> None:
    """Run the server until SIGTERM, SIGINT, or the end of the process that holds the lock."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if options.while_locked:
        unused = threading.Thread(
            target=await_unlocked,
            args=(options.while_locked, lambda: loop.call_soon_threadsafe(ended.set)),
            daemon=True,
        )
        unused.start()
    async with Sandbox(pace=options.pace, port=options.port) as sandbox:
        sys.stdout.write(f"sandbox listening on {sandbox.url}\n")
        sys.stdout.flush()
        if options.port_file:
            options.port_file.write_text(str(sandbox.port))
        await ended.wait()


def await_unlocked(path: str, then: Callable[[], object]) -> None:
    """Wait until no other process holds a lock on the file, and take it: new users wait for this process's end."""
    lock = fasteners.InterProcessReaderWriterLock(path)
    lock.acquire_write_lock(delay=LOOK, max_delay=LOOK)
    then()


if __name__ == "__main__":
    main()
