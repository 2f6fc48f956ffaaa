"""One line of the log for each request, if COLLOQUY_ACCESS_LOG is true."""

from __future__ import annotations

import logging
import time

from django.conf import settings

from conversations.asgi_types import App, Message, Receive, Scope, Send
from conversations.log_context import begin

logger = logging.getLogger(__name__)


class Logged:
    """An ASGI application whose requests are logged when they are answered; their log context is set meanwhile."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and log the request."""
        begin()
        if not settings.COLLOQUY_ACCESS_LOG:
            await self._app(scope, receive, send)
            return
        began, outcome = time.monotonic(), "not answered"

        async def watching(message: Message) -> None:
            nonlocal outcome
            outcome = str(message.get("status") or message.get("code") or outcome)
            await send(message)

        try:
            await self._app(scope, receive, watching)
        finally:
            logger.info("%s %s in %.0f ms", described(scope), outcome, (time.monotonic() - began) * 1000)


def described(scope: Scope) -> str:
    """Return the user, method and path of a request as text. (The log's formatter removes secrets.)"""
    query = scope.get("query_string", b"").decode("latin-1")
    client = (scope.get("client") or ["-"])[0]
    return f'{client} "{scope.get("method", "WEBSOCKET")} {scope["path"]}{"?" if query else ""}{query}"'
