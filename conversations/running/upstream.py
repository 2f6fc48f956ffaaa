"""One upstream request, from sending it to the end of its stream, with the data for the ledger."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from conversations.claude import client
from conversations.claude.retrying import retried
from conversations.content.transcript import is_delta
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Request
from conversations.errors import ColloquyError
from conversations.services.billing.ledger import RequestRecord


class UpstreamRequest:
    """A request to Claude, with its times."""

    def __init__(self) -> None:
        self.stop_reason: str | None = None
        self._request_id = ""
        self._sent_at: float | None = None
        """The time of sending; None before, and while it waits for a retry: then it has cost nothing."""
        self._first_delta_at: float | None = None
        self._ended_at: float | None = None
        self._error_type = ""

    async def ask(self, body: Request, keep: Callable[[list[Event]], Awaitable[None]]) -> None:
        """Send the body of a Messages request, and pass its events to `keep`. Raise a ClaudeError."""
        try:
            sent = await retried(partial(self._send, body))
            del body  # a history, and files, that would be kept for as long as the answer takes
            async with sent as stream:
                self._request_id = stream.request_id
                async for events in stream:
                    for event in events:
                        self._note(event)
                    await keep(events)
        except ColloquyError as error:
            self._error_type = error.type
            raise
        finally:
            self._ended_at = time.monotonic()

    async def _send(self, body: Request) -> client.ClaudeStream:
        self._sent_at = time.monotonic()
        try:
            return await client.send(body)
        except ColloquyError:
            self._sent_at = None  # Claude did not accept it
            raise

    def _note(self, event: Event) -> None:
        if event["type"] == "message_delta":
            self.stop_reason = (event.get("delta") or {}).get("stop_reason") or self.stop_reason
        elif self._first_delta_at is None and is_delta(event):
            self._first_delta_at = time.monotonic()

    def known(self) -> RequestRecord | None:
        """Return the request's data for the ledger; None if it never reached Claude."""
        if self._sent_at is None or self._ended_at is None:
            return None
        to_first_delta = None if self._first_delta_at is None else self._first_delta_at - self._sent_at
        return RequestRecord(
            request_id=self._request_id,
            error_type=self._error_type,
            duration=timedelta(seconds=self._ended_at - self._sent_at),
            time_to_first_delta=None if to_first_delta is None else timedelta(seconds=to_first_delta),
        )
