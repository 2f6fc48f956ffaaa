"""Returning unused memory of this process to the system.

The memory of a large request stays with the process in three places. Requests of REST framework, and exceptions in a
frame of their own traceback, are reference cycles: they stay with all their data until garbage collection, which a few
large objects do not trigger. Memory that a thread has freed is kept by glibc for that thread, the more of it the larger
the blocks were. And libpq keeps the buffers of a connection as large as its largest statement or row.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import time
from pathlib import Path

from conversations.database import renew_pool

LOOK = 1.0  # seconds between checks of the process's size
BUSY = 0.25  # seconds of CPU between two checks: a busier process has streams that would notice a pause
SURGE = 64 * 1024 * 1024  # growth in bytes for which pausing those streams is worth it
GROWTH = 16 * 1024 * 1024  # growth in bytes from which on a quiet process gives memory back
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 64.0  # seconds without much to do after which memory is given back

LARGE = 1024 * 1024  # bytes from which on a block goes back to the system as soon as it is free

_STATM = Path("/proc/self/statm")  # of Linux
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt(3)

# Functions of glibc; other allocators have none of them.
_mallopt = getattr(ctypes.CDLL(None), "mallopt", lambda _parameter, _value: 0)
_trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _pad: 0)


def resident() -> int:
    """Return the resident memory of this process in bytes; 0 if the system does not tell."""
    try:
        return int(_STATM.read_bytes().split()[1]) * _PAGE
    except OSError:
        return 0


async def give_back() -> None:
    """Return memory repeatedly: after large growth, and when a process that has grown is idle again.

    Each time pauses all streams, with 400 of them for 0.1 to 0.2 s. If the memory turns out to be in use, the pauses
    between attempts become longer.
    """
    # By itself, glibc raises both with every large block that is freed, up to 32 and 64 MB.
    _mallopt(_MMAP_THRESHOLD, LARGE)
    _mallopt(_TRIM_THRESHOLD, LARGE)
    lowest = last = resident()
    pause, quiet = FIRST_PAUSE, 0.0
    while True:
        used = time.process_time()
        await asyncio.sleep(LOOK)
        now, busy = resident(), time.process_time() - used > BUSY
        lowest, quiet = min(lowest, now), 0.0 if busy else quiet + LOOK
        if now > last + SURGE:
            await _free()
            pause = FIRST_PAUSE
        elif now > lowest + GROWTH and quiet >= pause:
            await renew_pool()
            await _free()
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            continue
        last, quiet = resident(), 0.0


async def _free() -> None:
    """Collect garbage, and return free memory to the system.

    The collector blocks this event loop while it scans the objects that were created since the process began to serve;
    the allocator does not.
    """
    gc.collect()
    await asyncio.to_thread(_trim, 0)
