"""Answers that take time: a view returns a `Later`, and what that awaits goes on when Django is done with the request.

So no thread, no connection and no request object is held while a turn streams, and nothing of Django is between the
journal and the socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from conversations.api.errors import headers_of, translate
from conversations.api.middleware import HEADER
from conversations.errors import ColloquyError

logger = logging.getLogger(__name__)

LATER = "colloquy.later"

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Stream:
    """A body that is sent as it comes."""

    body: AsyncGenerator[bytes, None]
    headers: dict[str, str]


Then = Callable[[], Awaitable[Stream | dict[str, Any]]]


class Later(HttpResponse):
    """A response whose body is not known yet when the view returns: JSON or a stream, or the error that is raised."""

    def __init__(self, request: Request, then: Then, status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(status=status, headers=headers)
        accepted = request.accepted_renderer
        renderer = accepted if isinstance(accepted, JSONRenderer) else JSONRenderer()  # a stream is no renderer's work
        request._request.scope[LATER] = then, renderer  # type: ignore[attr-defined]


class Answering:
    """Django's ASGI application, with the views that answer later."""

    def __init__(self, django: App) -> None:
        self._django = django

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Lets Django answer, and goes on where it leaves off."""
        held: list[Message] = []

        async def forward(message: Message) -> None:
            if LATER in scope:
                held.append(message)
            else:
                await send(message)

        await self._django(scope, receive, forward)
        if held:
            then, renderer = scope[LATER]
            await _while_there(receive, _answer(then, renderer, held[0], send))


async def _answer(then: Then, renderer: JSONRenderer, start: Message, send: Send) -> None:
    """Send what comes later, under the status and the headers that Django gave."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    del headers["content-type"]
    headers.pop("content-length", None)
    status = start["status"]
    try:
        answer = await then()
    except Exception as error:  # whatever it was, it is answered
        ours = translate(error)
        if ours is None:
            logger.exception("A later answer failed")
            ours = ColloquyError()
        status, answer = ours.status, ours.payload(headers.get(HEADER))
        headers |= headers_of(ours)
    if isinstance(answer, Stream):
        await _start(send, 200, {**headers, **answer.headers})
        async with aclosing(answer.body) as body:
            async for part in body:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        encoded = renderer.render(answer)
        await _start(send, status, {**headers, "content-type": "application/json", "content-length": str(len(encoded))})
        await send({"type": "http.response.body", "body": encoded})


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})


async def _while_there(receive: Receive, answer: Coroutine[Any, Any, None]) -> None:
    """Answers as long as the client is there. Its leaving ends the answer, and nothing else."""
    answering = asyncio.create_task(answer)
    leaving = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            answering.result()
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
