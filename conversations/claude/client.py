"""Access to Claude: the SDK's client, and its streams as raw events.

With `errors` and `transport` the only module that uses the SDK. All other modules see dicts and `ClaudeError`s. The SDK
is imported with the first client: the import takes half of the time of a process's start, and 45 MB.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Self, cast

from django.conf import settings

from conversations.claude.answer_shapes import TokenCountShape
from conversations.claude.error_mapping import translated
from conversations.claude.event_shapes import as_shape
from conversations.claude.retrying import retried
from conversations.claude.stream_reader import AnswerReader
from conversations.content.transcript import encode
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Request
from conversations.errors import ClaudeError
from conversations.loop_local import LoopLocal

if TYPE_CHECKING:
    import anthropic
    import httpx2

    from conversations.claude.transport import MessageSender

logger = logging.getLogger(__name__)

AFTERWARDS = 0.25  # seconds for which a response is read on after message_stop
REQUEST_ID_LIMIT = 100  # characters, as the ledger's column has

# Under 2026-10-21 sampling parameters are refused outright; the older version is still served (claude-api.md 2.3).
SAMPLING = frozenset({"temperature", "top_p", "top_k"})
VERSION_WITH_SAMPLING = {"anthropic-version": "2023-06-01"}

TRANSPORT = "conversations.claude.transport"
"""The module that imports the SDK."""

OURS: LoopLocal[anthropic.AsyncAnthropic] = LoopLocal()
SENDER: LoopLocal[MessageSender] = LoopLocal()


async def client() -> anthropic.AsyncAnthropic:
    """Return the client of the running event loop, created on first use: its connections are bound to the loop.

    The first call in a process waits in a thread for the import of the SDK, and for the start of the sandbox if it is
    used.
    """
    known = OURS.get()
    if known is None:
        base_url = settings.ANTHROPIC_BASE_URL
        url = await asyncio.to_thread(base_url) if callable(base_url) else base_url
        transport = await asyncio.to_thread(import_module, TRANSPORT)
        known = OURS.get() or OURS.set(transport.new_client(url))  # another task may have been faster
    return known


async def prepare_client() -> None:
    """Create the running loop's client before a turn needs it. If that fails, the first turn tries again."""
    try:
        await client()
    except Exception:
        logger.exception("The client of Claude's API could not be created")


async def close_client() -> None:
    """Close the running loop's client, if it has one."""
    SENDER.pop()
    known = OURS.pop()
    if known:
        await known.close()


class ClaudeStream:
    """The response to one request: its events, and the identifiers of request and message.

    It keeps the response's body only: the SDK's objects around it, with the request, take 20 KB as long as it streams.
    """

    def __init__(self, response: httpx2.Response) -> None:
        self._body = _chunks(response)
        self._close = cast("httpx2.AsyncByteStream", response.stream).aclose
        self.request_id: str = response.headers.get("request-id", "")[:REQUEST_ID_LIMIT]
        self._media_type = response.headers.get("content-type", "").partition(";")[0].strip()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the connection, unless the whole response has been read."""
        await self._close()

    async def __aiter__(self) -> AsyncIterator[list[Event]]:
        """Yield the answer's validated events, in lists of those that arrive together, up to message_stop.

        Raises StreamError, StreamCut, StreamStalled, StreamIncomplete or MalformedAnswer where the answer is not whole.
        """
        reader = AnswerReader(self.request_id, self._media_type)
        try:
            with translated(streaming=True):
                # The SDK's own iterator would build an object for every delta, and drop unknown fields.
                async for chunk in self._body:
                    if events := reader.feed(chunk):
                        yield events
                    if reader.trouble or reader.stopped:
                        break
        except ClaudeError as error:
            reader.trouble = error
        if events := reader.end():
            yield events
        if reader.trouble:
            raise reader.trouble
        await self._read_on()

    async def _read_on(self) -> None:
        """Read the rest after message_stop for a moment: the connection can be reused once the response has ended."""
        with suppress(TimeoutError, ClaudeError), translated(streaming=True):
            async with asyncio.timeout(AFTERWARDS):
                async for _ in self._body:
                    pass


def _chunks(response: httpx2.Response) -> AsyncIterator[bytes]:
    if "content-encoding" in response.headers:
        return response.aiter_bytes()
    # Directly from the transport: the response's own iterators cost as much as all our processing of a chunk.
    return cast("httpx2.AsyncByteStream", response.stream).__aiter__()


async def send(request: Request) -> ClaudeStream:
    """Send the body of a Messages request once; return the response, which the caller must close.

    Raises a ClaudeError where Claude refuses it or can't be reached.
    """
    headers = VERSION_WITH_SAMPLING if SAMPLING & request.keys() else {}
    with translated():
        sender = SENDER.get() or await _new_sender()
        return ClaudeStream(await sender.send(encode({**request, "stream": True}).encode(), headers))


async def _new_sender() -> MessageSender:
    made = await client()
    return SENDER.set(import_module(TRANSPORT).MessageSender(made))


# Parameters that token counting does not accept: it produces no output (claude-api.md 2.2).
NOT_COUNTED = frozenset({"model", "messages", "max_tokens", "stop_sequences", *SAMPLING})


async def count_tokens(request: Request) -> int:
    """Return the number of input tokens of a Messages request, counted by Claude. Raise a ClaudeError."""
    rest = {name: value for name, value in request.items() if name not in NOT_COUNTED}

    async def once() -> int:
        with translated():
            counted = await (await client()).messages.count_tokens(
                model=request["model"],
                messages=request["messages"],  # type: ignore[arg-type]
                extra_body=rest,
            )
        return as_shape(TokenCountShape, counted, "count_tokens").input_tokens

    return await retried(once)


async def list_models() -> list[dict[str, object]]:
    """Return the models that the Models API lists."""

    async def once() -> list[dict[str, object]]:
        with translated():
            return [model.to_dict(mode="json") async for model in (await client()).models.list(limit=1000)]

    return await retried(once)
