"""Django behind ASGI, as suits a platform whose views are synchronous and short."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_threads = ThreadPoolExecutor(max_workers=settings.REQUESTS_AT_ONCE, thread_name_prefix="request")
_login_threads = ThreadPoolExecutor(max_workers=settings.LOGINS_AT_ONCE, thread_name_prefix="login")

LOGINS = ("/api/auth/login/", "/admin/login/")
"""Where passwords are hashed for whoever asks: a flood of that waits for itself alone."""


class Handler(ASGIHandler):
    """Answers each request in one thread, of which there are as many as connections for them.

    Those that find none free wait without a thread and without a connection. (Django's own handler makes a thread for
    each request, and goes to it and back twice for every middleware.) What takes long is not awaited in here: see
    `conversations.api.answers`.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        await self.handle(scope, receive, send)

    def load_middleware(self, is_async: bool = False) -> None:
        """The chain of middleware and view, all of it synchronous."""
        super().load_middleware(is_async=False)
        chain = self._middleware_chain  # type: ignore[has-type]
        self._middleware_chain = _in_thread(chain)


def _in_thread(
    answer: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], Awaitable[HttpResponseBase]]:
    def call(request: HttpRequest) -> HttpResponseBase:
        try:
            return answer(request)
        finally:
            connection.close()  # before the response is sent: its reader may be slow

    async def in_thread(request: HttpRequest) -> HttpResponseBase:
        context = contextvars.copy_context()
        threads = _login_threads if request.method == "POST" and request.path in LOGINS else _threads
        return await asyncio.get_running_loop().run_in_executor(threads, context.run, call, request)

    return in_thread
