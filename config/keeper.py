"""`python -m config.keeper LOCK`: stops the embedded PostgreSQL when the last process that used it has ended.

A process that is killed can't stop the servers that it started. The keeper waits for the lock that every user of the
server shares (`config.local.Sharing`), and imports almost nothing before it has it.
"""

from __future__ import annotations

import sys

import fasteners

LOOK = 1.0  # seconds between looks whether the lock is free


def main(lock: str) -> None:
    """Wait until nobody else holds the lock, and stop the server while holding it, so that it is not restarted."""
    with fasteners.InterProcessReaderWriterLock(lock).write_lock(delay=LOOK, max_delay=LOOK):
        from config import local

        local.stop_unused_postgres()


if __name__ == "__main__":
    main(sys.argv[1])
