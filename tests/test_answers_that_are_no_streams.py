"""Claude's responses to other requests than messages are validated on arrival, as streams are."""

from __future__ import annotations

import asyncio
from typing import Any

from conversations.claude import batches, client
from conversations.errors import MalformedAnswer
from conversations.sandbox.server import Sandbox
from tests.extraction.message_batches import Reply, proxy

NONSENSE = (
    b"",
    b"event: ping",
    b"[1]",
    b"null",
    b'{"input_tokens": "5", "id": 5, "processing_status": "ended"}',
    b'{"input_tokens": -1, "id": "batch", "processing_status": "ended", "created_at": "today", "request_counts": []}',
)


def test_nonsense_is_told_as_what_it_is(sandbox: Sandbox, settings: Any) -> None:
    with proxy(sandbox.url) as upstream:
        settings.ANTHROPIC_BASE_URL = upstream.url
        assert asyncio.run(told_of_all(upstream)) == len(NONSENSE) * 2


async def told_of_all(upstream: Any) -> int:
    """Return how many of the nonsensical responses were reported as malformed."""
    told = 0
    for body in NONSENSE:
        upstream.spoil["retrieve"] = lambda reply, body=body: Reply(200, body)
        for asked in (client.count_tokens({"model": "m", "max_tokens": 1, "messages": []}), batches.retrieve("batch")):
            try:
                await asked
            except MalformedAnswer:
                told += 1
    await client.close_client()
    return told
