"""`python -m conversations.claude.sandbox`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from conversations.claude.sandbox.server import PACE, Sandbox


def main() -> None:
    """Serves until it is told to end, or its owner does."""
    parser = argparse.ArgumentParser(description="A sandbox of Claude's Messages API.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--pace", type=float, default=float(os.environ.get("COLLOQUY_SANDBOX_PACE") or PACE))
    parser.add_argument("--port-file", type=Path, help="where to write the port")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    asyncio.run(serve(parser.parse_args()))


async def serve(options: argparse.Namespace) -> None:
    """Runs the server."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if options.with_parent:
        # Nothing is ever written to it: it becomes readable when the owner is gone, however it went.
        loop.add_reader(sys.stdin, ended.set)
    async with Sandbox(pace=options.pace, port=options.port) as sandbox:
        sys.stdout.write(f"sandbox listening on {sandbox.url}\n")
        sys.stdout.flush()
        if options.port_file:
            options.port_file.write_text(str(sandbox.port))
        await ended.wait()


if __name__ == "__main__":
    main()
