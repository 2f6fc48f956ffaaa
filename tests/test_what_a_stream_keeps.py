"""While an answer streams, the process keeps nothing in memory that only the request needed."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

from conversations.claude.client import close_client
from conversations.contract.transcript_events import Event
from conversations.running.upstream import UpstreamRequest
from conversations.sandbox.server import Sandbox
from conversations.ws.consumer import Socket


class Body(dict[str, Any]):
    """A request body that can be weakly referenced."""


async def test_what_claude_was_asked_with_is_not_kept_while_it_answers(sandbox: Sandbox) -> None:
    """With the files in it, a history may have megabytes."""
    asked: list[weakref.ref[Body]] = []
    kept: list[Body | None] = []

    def body() -> Body:
        made = Body(
            model="claude-sonnet-4-6", max_tokens=100, messages=[{"role": "user", "content": "[[sandbox: words=20]]"}]
        )
        asked.append(weakref.ref(made))
        return made

    async def keep(events: list[Event]) -> None:
        kept.append(asked[0]())

    gc.disable()
    try:
        await UpstreamRequest().ask(body(), keep)  # type: ignore[arg-type]
    finally:
        gc.enable()
        await close_client()
    assert kept
    assert not any(kept)


async def test_the_last_frame_is_not_kept_while_a_socket_waits_for_the_next() -> None:
    class Frame(dict[str, str]):
        pass

    frames: list[weakref.ref[Frame]] = []
    waits = asyncio.Event()

    async def receive() -> Any:
        if frames:
            waits.set()
            await asyncio.Event().wait()
        frame = Frame(type="websocket.receive", text="{}")
        frames.append(weakref.ref(frame))
        return frame

    async def send(message: Any) -> None:
        pass

    socket = asyncio.create_task(Socket()({"type": "websocket"}, receive, send))
    await asyncio.wait_for(waits.wait(), 10)
    assert frames[0]() is None
    socket.cancel()
