"""The SDK's client with a transport by aiohttp that reads only on demand.

With aiohttp's defaults, every delta of every stream wakes the process. Here the kernel buffers data while a reader is
busy, which then gets several deltas in one read. The common parts of all Messages requests are built once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from urllib.request import getproxies, proxy_bypass

import aiohttp
import anthropic
import httpx2
from aiohttp import ClientResponse
from anthropic._models import FinalRequestOptions

# The SDK's own copy: the published package reports a refused connection as a timeout.
from anthropic._vendor.httpx_aiohttp import AiohttpTransport
from anthropic._vendor.httpx_aiohttp.transport import AiohttpResponseStream, map_aiohttp_exceptions
from django.conf import settings

CONNECT_TIMEOUT = 5.0  # seconds
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def new_client(base_url: str | None) -> anthropic.AsyncAnthropic:
    """Return a client for the running event loop, with the settings' key.

    Without a base URL, and without a key in the settings, the SDK looks for them in its own environment variables.
    """
    transport = _Transport(limits=anthropic.DEFAULT_CONNECTION_LIMITS)
    made = anthropic.AsyncAnthropic(
        api_key=settings.ANTHROPIC_API_KEY,
        base_url=base_url,
        timeout=httpx2.Timeout(settings.ANTHROPIC_TIMEOUT, connect=CONNECT_TIMEOUT),
        max_retries=0,  # the SDK's own have no bound in time (claude-api.md 1.3); `retrying` has
        http_client=anthropic.DefaultAioHttpClient(transport=transport),
    )
    transport.proxy = _proxy_for(made.base_url)
    return made


def _proxy_for(url: httpx2.URL) -> httpx2.Proxy | None:
    """Return the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY for a URL, or None.

    NO_PROXY excludes hosts. This machine, where the sandbox runs, is never asked through a proxy.
    """
    if url.host in LOOPBACK or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return httpx2.Proxy(proxy if "://" in proxy else f"http://{proxy}") if proxy else None


class MessageSender:
    """Sends Messages requests with the URL, headers and timeouts of the SDK.

    The SDK computes these anew for each request, and sends it through httpx2, in 0.5 ms of CPU; here they are computed
    once, for an empty request, and aiohttp is called directly.
    """

    def __init__(self, client: anthropic.AsyncAnthropic) -> None:
        self._client = client
        self._empty = client._build_request(
            FinalRequestOptions.construct(method="post", url="/v1/messages", json_data={})
        )
        del self._empty.headers["content-length"]
        timeout = self._empty.extensions["timeout"]
        self._timeout = aiohttp.ClientTimeout(
            connect=timeout["pool"], sock_connect=timeout["connect"], sock_read=timeout["read"]
        )
        self._url, self._headers = str(self._empty.url), dict(self._empty.headers)

    async def send(self, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        """Send a body, with additional headers; return the response, which the caller must close.

        Raises TimeoutException, and what the SDK raises where there is no response, or one that is an error.
        """
        try:
            response = await self._response(body, {**self._headers, **headers})
        except (httpx2.TimeoutException, anthropic.AnthropicError):
            raise
        except Exception as error:  # any kind: some errors of aiohttp have no equivalent in httpx2
            raise anthropic.APIConnectionError(request=self._empty) from error
        if response.is_success:
            return response
        await response.aread()
        raise self._client._make_status_error_from_response(response)

    async def _response(self, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        empty, http = self._empty, self._client._client
        assert isinstance(http._transport, _Transport)
        auth = self._client.custom_auth
        if auth or http._transport.proxy:
            request = httpx2.Request(
                empty.method, empty.url, headers=headers, content=body, extensions=dict(empty.extensions)
            )
            return await http.send(request, stream=True, auth=auth or httpx2.USE_CLIENT_DEFAULT)
        with map_aiohttp_exceptions():
            came = await http._transport.session.post(
                self._url, headers=headers, data=body, timeout=self._timeout, auto_decompress=False
            )
        return httpx2.Response(came.status, headers=came.raw_headers, stream=_WhenWanted(came), request=empty)


class _Transport(AiohttpTransport):
    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections to Claude."""
        self.client = session = self.get_client()
        return session

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, AiohttpResponseStream)
        response.stream = _WhenWanted(response.stream._aiohttp_response)
        return response


class _WhenWanted(AiohttpResponseStream):
    def __init__(self, response: ClientResponse) -> None:
        super().__init__(response)
        # Needed for aiohttp's own errors only: the request's headers, 5 KB as long as the answer streams.
        response._request_info = None  # type: ignore[assignment]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        response = self._aiohttp_response
        connection = response.connection  # None if the whole response came with its headers
        transport = connection.transport if connection else None
        with _as_read_errors(), map_aiohttp_exceptions(), _told_when_lost(response):
            while chunk := await response.content.readany():
                if transport is None or response.closed:
                    yield chunk
                    continue
                transport.pause_reading()
                try:
                    yield chunk
                finally:
                    if not transport.is_closing():
                        transport.resume_reading()


@contextmanager
def _told_when_lost(response: aiohttp.ClientResponse) -> Iterator[None]:
    """Have the reader of the body notified if the connection is lost.

    On a chunk without a size, aiohttp closes the connection and stops its timer without notifying the reader.
    """
    content, connection = response.content, response.connection
    protocol = connection.protocol if connection else None
    lost = protocol.closed if protocol is not None else None
    if lost is None:
        yield
        return

    def tell(_: asyncio.Future[None]) -> None:
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("The connection was lost."))

    lost.remove_done_callback(_forget)
    lost.add_done_callback(_forget)
    lost.add_done_callback(tell)
    try:
        yield
    finally:
        lost.remove_done_callback(tell)


def _forget(lost: asyncio.Future[None]) -> None:
    """Retrieve the exception of a lost connection, so that asyncio does not log it."""
    lost.exception()


@contextmanager
def _as_read_errors() -> Iterator[None]:
    """Convert errors without an equivalent in httpx2, such as aiohttp's RuntimeError for a closed connection."""
    try:
        yield
    except httpx2.TransportError:
        raise
    except Exception as error:
        raise httpx2.ReadError(str(error)) from error
