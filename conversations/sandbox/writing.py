"""Writing the bodies of streamed answers: events, raw bytes, or a recording."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web

from conversations.sandbox.directives import Directives
from conversations.sandbox.received import ID
from conversations.sandbox.request_text import Block
from conversations.sandbox.stream import Faults, chunked, encoded, raw_parts

Write = Callable[[web.Request, web.StreamResponse, Directives], Awaitable[None]]
"""Writes the body of a response; raises Cut where that breaks off."""


async def write_events(
    events: Iterator[Block],
    faults: Faults,
    pace: float,
    request: web.Request,
    response: web.StreamResponse,
    directives: Directives,
) -> None:
    """Write events with injected faults, and `pace` seconds between deltas unless the directives say otherwise.

    Raises Cut where a fault ends the stream.
    """
    pace = directives.number("pace", pace)
    held = b""
    for event in events:
        instead = faults.before(event)
        if isinstance(instead, float):
            await asyncio.sleep(instead)
        elif instead:
            await response.write(encoded({**instead, "request_id": request[ID]}, directives))
            return
        data = encoded(event, directives)
        if "one_chunk" in directives:
            held += data
            continue
        for chunk in chunked(data, directives):
            await response.write(chunk)
        if pace and event["type"] == "content_block_delta":
            await asyncio.sleep(pace)
    if held:
        await response.write(held)


async def write_raw(request: web.Request, response: web.StreamResponse, directives: Directives) -> None:
    """Write the parts of the directive `raw`. Raise Cut where the connection is to be dropped."""
    for part in raw_parts(directives):
        if isinstance(part, float):
            await asyncio.sleep(part)
            continue
        for chunk in chunked(part, directives):
            await response.write(chunk)


async def write_replay(
    recorded: bytes,
    chunk: int | None,
    request: web.Request,
    response: web.StreamResponse,
    directives: Directives,
) -> None:
    """Write a recorded body, in pieces of `chunk` bytes, or at once if that is None."""
    size = chunk or len(recorded) or 1
    for start in range(0, len(recorded), size):
        await response.write(recorded[start : start + size])
