"""The way to Claude: the SDK's client, and its streams as the events that are on the wire.

With `errors` and `transport` the only module that knows the SDK. Everything else sees dicts and `ClaudeError`s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from weakref import WeakKeyDictionary

import anthropic
import httpx2
from anthropic import AsyncStream
from django.conf import settings

from conversations.claude.errors import translated
from conversations.claude.sse import Decoder, ServerSentEvent
from conversations.claude.transport import http_client
from conversations.claude.values import parse_event
from conversations.errors import ClaudeError, StreamError, StreamIncomplete, status_of

Event = dict[str, Any]

CONNECT_TIMEOUT = 5.0  # seconds

# Under 2026-10-21 sampling parameters are refused outright; the older version is still served (claude-api.md 2.3).
SAMPLING = frozenset({"temperature", "top_p", "top_k"})
VERSION_WITH_SAMPLING = {"anthropic-version": "2023-06-01"}

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, anthropic.AsyncAnthropic] = WeakKeyDictionary()


async def client() -> anthropic.AsyncAnthropic:
    """The client of the running event loop: its pooled connections can't be used from another one."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        base_url = settings.ANTHROPIC_BASE_URL
        # Finding it may mean to start the sandbox, for which the loop must not wait.
        url = await asyncio.to_thread(base_url) if callable(base_url) else base_url
        _clients[loop] = anthropic.AsyncAnthropic(
            api_key=settings.ANTHROPIC_API_KEY,
            base_url=url,
            timeout=httpx2.Timeout(settings.ANTHROPIC_TIMEOUT, connect=CONNECT_TIMEOUT),
            max_retries=settings.ANTHROPIC_MAX_RETRIES,
            http_client=http_client(anthropic.DEFAULT_CONNECTION_LIMITS),
        )
    return _clients[loop]


async def close_client() -> None:
    """Closes the running loop's client, if it has one."""
    known = _clients.pop(asyncio.get_running_loop(), None)
    if known:
        await known.close()


class ClaudeStream:
    """The events of one answer, exactly as they came, pings and kinds that nobody knows yet included."""

    def __init__(self, stream: AsyncStream[Any]) -> None:
        self._response = stream.response
        self.request_id: str | None = stream.response.headers.get("request-id")

    async def __aiter__(self) -> AsyncIterator[list[Event]]:
        """Reads to the end: each time what came together.

        Raises StreamError, StreamCut, StreamStalled or StreamIncomplete where it is not whole.
        """
        stopped, decoder = False, Decoder()
        with translated(streaming=True):
            # The SDK's own iterator would build a pydantic object from every delta, and lose what it does not know.
            async for chunk in self._chunks():
                events, trouble = self._events(decoder.feed(chunk))
                if events:
                    stopped = stopped or any(event.get("type") == "message_stop" for event in events)
                    yield events
                if trouble:
                    raise trouble
        if not stopped:
            raise StreamIncomplete(request_id=self.request_id)

    def _events(self, found: list[ServerSentEvent]) -> tuple[list[Event], ClaudeError | None]:
        """The events up to the first that is an error, or is none at all; and what that means."""
        events: list[Event] = []
        for sse in found:
            try:
                event = parse_event(sse.data)
            except ClaudeError as error:
                return events, error
            if sse.name == b"error":
                return events, self._error(event)
            events.append(event)
        return events, None

    def _chunks(self) -> AsyncIterator[bytes]:
        if "content-encoding" in self._response.headers:
            return self._response.aiter_bytes()
        # Straight from the transport: the response's own iterators cost as much as all that we do with a chunk.
        return cast("httpx2.AsyncByteStream", self._response.stream).__aiter__()

    def _error(self, event: Event) -> StreamError:
        error = event.get("error") or {}
        kind = str(error.get("type") or "api_error")
        return StreamError(
            str(error.get("message") or ""),
            type=kind,
            status=status_of(kind),
            upstream_status=200,
            upstream_type=kind,
            request_id=event.get("request_id") or self.request_id,
        )


@asynccontextmanager
async def open_stream(request: dict[str, Any]) -> AsyncIterator[ClaudeStream]:
    """Sends the body of a Messages request, and closes the connection when the block is left, however that happens.

    The SDK retries until a response has begun; after that nothing is retried. Raises a ClaudeError.
    """
    with translated():
        stream = await _create(await client(), request)
    try:
        yield ClaudeStream(stream)
    finally:
        await stream.close()


async def _create(client: anthropic.AsyncAnthropic, request: dict[str, Any]) -> AsyncStream[Any]:
    named = {"model", "max_tokens", "messages"}
    rest = {name: value for name, value in request.items() if name not in named}
    created = await client.messages.create(
        model=request["model"],
        max_tokens=request["max_tokens"],
        messages=request["messages"],
        stream=True,
        # By the extra body, so that what the SDK does not know yet goes out too.
        extra_body=rest,
        extra_headers=VERSION_WITH_SAMPLING if SAMPLING & rest.keys() else None,
    )
    return cast("AsyncStream[Any]", created)


# What counting does not take: it produces nothing (claude-api.md 2.2).
NOT_COUNTED = frozenset({"model", "messages", "max_tokens", "stop_sequences", *SAMPLING})


async def count_tokens(request: dict[str, Any]) -> int:
    """How many tokens of input the body of a Messages request is, by Claude's own count. Raises a ClaudeError."""
    rest = {name: value for name, value in request.items() if name not in NOT_COUNTED}
    with translated():
        counted = await (await client()).messages.count_tokens(
            model=request["model"], messages=request["messages"], extra_body=rest
        )
    return counted.input_tokens


async def list_models() -> list[dict[str, Any]]:
    """The models that the Models API names."""
    with translated():
        return [model.to_dict(mode="json") async for model in (await client()).models.list(limit=1000)]
