"""Access to the storage of attachments from asynchronous code, in a separate thread pool.

A slow storage blocks only these threads, and the turns that need its files; never a thread or a connection for the
database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 32

_threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="storage")


async def in_storage(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that uses the storage, and not the database."""
    return await asyncio.get_running_loop().run_in_executor(_threads, lambda: function(*args, **kwargs))
