"""Responses that take time: a view returns a `Later`, which is awaited after Django is done with the request.

So no thread, no connection and no request object is held while a turn streams, and no code of Django runs between the
journal and the socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple

from django.http import HttpResponse
from rest_framework import renderers
from rest_framework.request import Request

from conversations.api.error_responses import headers_of, translate
from conversations.api.middleware import HEADER
from conversations.api.renderers import JSONRenderer
from conversations.api.requesters import credential_of
from conversations.asgi_types import App, Message, Receive, Scope, Send
from conversations.errors import ColloquyError, NotAuthenticated, NotFound
from conversations.running.engine import engine
from conversations.services.accounts.credentials import NOT_ANY_MORE, Credential
from conversations.services.accounts.shares import NOT_SHARED_ANY_MORE, Membership

logger = logging.getLogger(__name__)

LATER = "colloquy.later"
OF_THE_BODY = (b"content-type", b"content-length")
"""Headers of Django's response that are wrong here: it has no body."""


@dataclass(frozen=True)
class Stream:
    """A streamed response body."""

    body: AsyncGenerator[bytes, None]
    headers: dict[str, str]
    last_words: Callable[[ColloquyError], bytes]
    """Returns the bytes that end a body which is cut by an error."""


Then = Callable[[], Awaitable[Stream | Mapping[str, object]]]


@dataclass(frozen=True)
class Opening:
    """The continuation of a response."""

    then: Then
    membership: Membership | None = None
    """The membership by which the client may read the response, if the conversation is another user's."""
    headers: Mapping[str, str] = field(default_factory=dict)


Begin = Callable[[], Awaitable[Opening]]


class _Pending(NamedTuple):
    """A response that is produced later."""

    begin: Begin
    renderer: renderers.JSONRenderer
    credential: Credential


class LaterBegun(HttpResponse):
    """A response to work that has not begun when the view returns: `begin` begins it, and returns the continuation.

    An error of `begin` becomes the response. `begin` is not cancelled if the client disconnects meanwhile.
    """

    def __init__(self, request: Request, begin: Begin, status: int = 200) -> None:
        super().__init__(status=status)
        accepted = request.accepted_renderer
        renderer = (
            accepted if isinstance(accepted, renderers.JSONRenderer) else JSONRenderer()
        )  # a stream is no renderer's work
        request._request.scope[LATER] = _Pending(begin, renderer, credential_of(request))  # type: ignore[attr-defined]


class Later(LaterBegun):
    """A response whose body is unknown when the view returns: JSON or a stream, or the error that is raised."""

    def __init__(self, request: Request, then: Then, status: int = 200, membership: Membership | None = None) -> None:
        """Respond with the result of `then`; `membership` as in `Opening`."""

        async def begin() -> Opening:
            return Opening(then, membership)

        super().__init__(request, begin, status)


class Answering:
    """Django's ASGI application, with support for views that respond later."""

    def __init__(self, django: App) -> None:
        self._django = django

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let Django respond, and continue where the response is a later one."""
        held: list[Message] = []

        async def forward(message: Message) -> None:
            if LATER in scope:
                held.append(message)
            else:
                await send(message)

        await self._django(scope, receive, forward)
        if held:
            answer = _Answer(held[0], scope[LATER].renderer, send)
            opening = await answer.begun(scope[LATER].begin)
            # The view's closure refers to the request: release it, here and in the scope, and also the received body.
            held.clear()
            credential = scope.pop(LATER).credential
            if opening:
                await _while_let_in(receive, answer, opening, credential)


class _Answer:
    """The later part of a response, with the status and the headers from Django."""

    def __init__(self, start: Message, renderer: renderers.JSONRenderer, send: Send) -> None:
        self._headers = {name.lower(): value for name, value in start["headers"] if name.lower() not in OF_THE_BODY}
        self._status: int = start["status"]
        self._renderer = renderer
        self._send = send
        self._begun = False
        self._stream: Stream | None = None

    async def begun(self, begin: Begin) -> Opening | None:
        """Return the continuation; None if `begin` raises an error, which is the response then."""
        try:
            opening = await begin()
        except Exception as error:  # noqa: BLE001 - whatever it was, it is answered, and logged there
            await self._refuse(error)
            return None
        self._headers |= _encoded(opening.headers)
        return opening

    async def give(self, then: Then) -> None:
        """Send the result of `then`, or the error that it raises."""
        try:
            answer = await then()
        except Exception as error:  # noqa: BLE001 - whatever it was, it is answered, and logged there
            await self._refuse(error)
            return
        if isinstance(answer, Stream):
            await self._pass_on(answer)
        else:
            await self._whole(answer)

    async def cut(self, error: ColloquyError) -> None:
        """Send the reason why the response ends early: as the response, or as the end of a stream."""
        if self._stream:
            await self._part(self._stream.last_words(error), more=False)
        elif not self._begun:
            await self._refuse(error)

    async def _refuse(self, error: Exception) -> None:
        ours = translate(error)
        if ours is None:
            logger.error("A deferred response failed", exc_info=error)
            ours = ColloquyError()
        self._status = ours.status
        self._headers |= _encoded(headers_of(ours))
        await self._whole(ours.payload(self._headers.get(HEADER.encode(), b"").decode()))

    async def _pass_on(self, stream: Stream) -> None:
        self._status = 200
        await self._start(stream.headers)
        self._stream = stream
        async with aclosing(stream.body) as body:
            async for part in body:
                await self._part(part, more=True)
        self._stream = None
        await self._part(b"", more=False)

    async def _whole(self, answer: Mapping[str, object]) -> None:
        encoded = self._renderer.render(answer)
        await self._start({"content-type": "application/json", "content-length": str(len(encoded))})
        await self._part(encoded, more=False)

    async def _start(self, headers: dict[str, str]) -> None:
        self._begun = True
        all = [*(self._headers | _encoded(headers)).items()]
        self._headers = {}  # which are not needed any more
        await self._send({"type": "http.response.start", "status": self._status, "headers": all})

    async def _part(self, body: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _encoded(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in headers.items()}


async def _while_let_in(receive: Receive, answer: _Answer, opening: Opening, credential: Credential) -> None:
    """Respond as long as the client is connected, its credential is valid, and it may read the response.

    Whichever ends first ends the response.
    """
    answering = asyncio.create_task(answer.give(opening.then))
    leaving = asyncio.create_task(_has_left(receive))
    here = await engine()
    ends: dict[asyncio.Future[None], ColloquyError] = {here.guard.watch(credential): NotAuthenticated(NOT_ANY_MORE)}
    if opening.membership:
        ends[here.memberships.watch(opening.membership)] = NotFound(NOT_SHARED_ANY_MORE)
    try:
        await asyncio.wait((answering, leaving, *ends), return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            answering.result()
        elif ended := [error for end, error in ends.items() if end.done()]:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            await answer.cut(ended[0])
    finally:
        for end in ends:
            end.cancel()
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _has_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
