"""The transport under the SDK: aiohttp, reading only while somebody waits for what it reads.

With its defaults every delta of every stream wakes the process, wanted or not. Here the kernel keeps what comes while a
reader is busy, and it gets several deltas in one read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import anthropic
import httpx2

# The SDK's own copy: the published package takes a refused connection for one that timed out.
from anthropic._vendor.httpx_aiohttp import AiohttpTransport
from anthropic._vendor.httpx_aiohttp.transport import AiohttpResponseStream, map_aiohttp_exceptions


def http_client(limits: httpx2.Limits) -> httpx2.AsyncClient:
    """The HTTP client for the SDK, to be made on the event loop that it is used on."""
    return anthropic.DefaultAioHttpClient(transport=_Transport(limits=limits))


class _Transport(AiohttpTransport):
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, AiohttpResponseStream)
        response.stream = _WhenWanted(response.stream._aiohttp_response)
        return response


class _WhenWanted(AiohttpResponseStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        connection = self._aiohttp_response.connection  # none any more where the whole answer came with its headers
        transport = connection.transport if connection else None
        with map_aiohttp_exceptions():
            async for chunk in self._aiohttp_response.content.iter_any():
                if transport is None or self._aiohttp_response.closed:
                    yield chunk
                    continue
                transport.pause_reading()
                try:
                    yield chunk
                finally:
                    if not transport.is_closing():
                        transport.resume_reading()
