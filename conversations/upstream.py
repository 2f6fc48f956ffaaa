"""One upstream request, from its sending to the end of its stream: what to keep of it, and what the ledger is told."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from conversations.claude import client
from conversations.errors import ColloquyError
from conversations.services.usage import Upstream
from conversations.transcript import Event, is_delta


class UpstreamRequest:
    """A request to Claude, and its times."""

    def __init__(self) -> None:
        self.stop_reason: str | None = None
        self._request_id: str | None = None
        self._sent_at: float | None = None
        self._first_delta_at: float | None = None
        self._ended_at: float | None = None
        self._error_type = ""
        self._begun = False

    async def ask(self, body: dict[str, Any], keep: Callable[[list[Event]], Awaitable[None]]) -> None:
        """Sends the body of a Messages request, and has its events kept as they come. Raises a ClaudeError."""
        self._sent_at = time.monotonic()
        try:
            async with client.open_stream(body) as stream:
                self._request_id = stream.request_id or ""
                async for events in stream:
                    await keep([event for event in events if self._keeps(event)])
        except ColloquyError as error:
            self._error_type = error.type
            if self._request_id is None:
                self._sent_at = None  # it was not taken, and costs nothing
            raise
        finally:
            self._ended_at = time.monotonic()

    def _keeps(self, event: Event) -> bool:
        """Whether an event belongs to the transcript: not pings, nor a second beginning of the one message."""
        match event.get("type"):
            case "message_start":
                repeated, self._begun = self._begun, True
                return not repeated
            case "message_delta":
                self.stop_reason = (event.get("delta") or {}).get("stop_reason")
        if self._first_delta_at is None and is_delta(event):
            self._first_delta_at = time.monotonic()
        return event.get("type") != "ping"

    def known(self) -> Upstream | None:
        """What the ledger is told of it; None if it never reached Claude."""
        if self._sent_at is None or self._ended_at is None:
            return None
        to_first_delta = None if self._first_delta_at is None else self._first_delta_at - self._sent_at
        return Upstream(
            request_id=self._request_id or "",
            error_type=self._error_type,
            duration=timedelta(seconds=self._ended_at - self._sent_at),
            time_to_first_delta=None if to_first_delta is None else timedelta(seconds=to_first_delta),
        )
