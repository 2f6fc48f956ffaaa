"""A handler of Django on ASGI for a platform whose views are synchronous and short."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from conversations.asgi_types import Receive, Scope, Send

LOGINS = {("POST", "/api/auth/login/"), ("POST", "/admin/login/"), ("DELETE", "/api/me/")}
"""The requests that hash passwords. They wait only for each other, so that a flood of them delays no other requests."""


class Handler(ASGIHandler):
    """Answers each request in one thread, of which there are as many as database connections.

    Requests that find no free thread wait without a thread and without a connection. (Django's own handler creates a
    thread for each request, and switches to it and back for its signals and for every middleware.) Slow work is not
    awaited here: see `conversations.api.later`.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=settings.REQUESTS_AT_ONCE, thread_name_prefix="request")
        self._login_threads = ThreadPoolExecutor(max_workers=settings.LOGINS_AT_ONCE, thread_name_prefix="login")
        super().__init__()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of the ASGI server."""
        await self.handle(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read a request, have it answered in a thread, and send the response."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with closing(body):
            set_script_prefix(get_script_prefix(scope))
            request, refusal = self.create_request(scope, body)
            response = refusal if request is None else await self.run_get_response(request)
            assert response is not None, "a request is refused or made"
            if response.streaming:
                await self._stream(response, receive, send)
            else:
                await self.send_response(response, send)

    async def _stream(self, response: HttpResponseBase, receive: Receive, send: Send) -> None:
        """Send a streaming response part by part, as long as the client is connected."""
        sending = asyncio.ensure_future(self.send_response(response, send))
        leaving = asyncio.ensure_future(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await asyncio.get_running_loop().run_in_executor(self._threads, response.close)

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain of middleware and view, all of it synchronous."""
        super().load_middleware(is_async=False)
        chain = self._middleware_chain  # type: ignore[has-type]
        self._middleware_chain = self._in_thread(chain)

    def _in_thread(
        self, answer: Callable[[HttpRequest], HttpResponseBase]
    ) -> Callable[[HttpRequest], Awaitable[HttpResponseBase]]:
        def call(request: HttpRequest) -> HttpResponseBase:
            signals.request_started.send(sender=Handler, scope=getattr(request, "scope", None))
            try:
                response = answer(request)
                if not response.streaming:
                    response.close()  # its content is in memory; this closes uploaded files
                return response
            finally:
                connection.close()  # before the response is sent: its reader may be slow

        async def in_thread(request: HttpRequest) -> HttpResponseBase:
            context = contextvars.copy_context()
            threads = self._login_threads if (request.method, request.path) in LOGINS else self._threads
            return await asyncio.get_running_loop().run_in_executor(threads, context.run, call, request)

        return in_thread
