"""Limits on the size of requests, enforced before anything else processes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import orjson
from django.conf import settings
from django.urls import Resolver404, resolve
from rest_framework.permissions import AllowAny

from config.cross_origin import cors_headers
from conversations.api.error_responses import headers_of, translate
from conversations.api.middleware import HEADER, new_id
from conversations.asgi_types import App, Message, Receive, Scope, Send
from conversations.database_faults import DATABASE_ERRORS
from conversations.errors import (
    ColloquyError,
    InvalidRequest,
    NotAuthenticated,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from conversations.ws.socket_authentication import by_session, by_token

ANONYMOUS_LIMIT = 64 * 1024  # bytes of an unauthenticated body
HEAD_LIMIT = 64 * 1024  # bytes of the request line and all headers


class HeadTooLarge(InvalidRequest):
    """The request's headers are too large."""

    default_status = 431


class BodyLimits:
    """An ASGI application that refuses requests that are too large, and passes on all others.

    A view sets its own limit as `body_limit`, in bytes; the default is `DATA_UPLOAD_MAX_MEMORY_SIZE`. The limit is
    `ANONYMOUS_LIMIT` for views that need no credentials, requests without credentials and unknown paths. Invalid
    credentials get 401. A body with a Content-Length is refused before any of it is read, one without as soon as it
    exceeds the limit. Compressed bodies are refused: their size is not known before they are read.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond with 413, 415 or 431 in the contract's shape."""
        try:
            headers = _headers(scope)
            length = _declared_length(headers)
            if length is None:
                receive = _measured(scope, receive, headers)
            elif length > ANONYMOUS_LIMIT:
                _check(length, await _limit(scope, headers))
            await self._app(scope, receive, send)
        except ColloquyError as refusal:
            await _refuse(send, refusal, cors_headers(scope))


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """Return the headers by their names. Raises HeadTooLarge or UnsupportedMediaType."""
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"]) + sum(len(n) + len(v) for n, v in pairs)
    if size > HEAD_LIMIT:
        raise HeadTooLarge(
            f"The address and the headers of the request have {size} bytes; at most {HEAD_LIMIT} are allowed.",
            details={"limit": HEAD_LIMIT},
        )
    headers = dict(pairs)
    encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedMediaType(
            "Compressed bodies are not supported: send the body without Content-Encoding.",
            details={"Content-Encoding": "not taken"},
        )
    return headers


def _declared_length(headers: dict[bytes, bytes]) -> int | None:
    """Return the length of the body in bytes; None if it is sent in chunks. Raise InvalidRequest."""
    text = headers.get(b"content-length")
    if b"transfer-encoding" in headers:
        return None
    if text is None:
        return 0
    if not re.fullmatch(rb"\d{1,18}", text):
        raise InvalidRequest(
            "Content-Length must be the length of the body in bytes, as a whole number.",
            details={"Content-Length": "not a number"},
        )
    return int(text)


async def _limit(scope: Scope, headers: dict[bytes, bytes]) -> int:
    """Return the maximal number of bytes of the body. Raise NotAuthenticated for invalid credentials."""
    try:
        view = resolve(scope["path"]).func
    except Resolver404:
        return ANONYMOUS_LIMIT
    kind = getattr(view, "cls", None)
    if AllowAny in getattr(kind, "permission_classes", ()) or not await _is_known(headers):
        return ANONYMOUS_LIMIT
    own = getattr(view, "initkwargs", {}).get("body_limit") or getattr(kind, "body_limit", None)
    return int(own or settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)


async def _is_known(headers: dict[bytes, bytes]) -> bool:
    """Return whether the request has credentials. Raise NotAuthenticated if they are not valid, or Unavailable."""
    shown = {name: headers[name].decode("latin-1") for name in (b"authorization", b"cookie") if name in headers}
    try:
        if b"authorization" in shown:
            known = await by_token(shown[b"authorization"]) is not None
        elif settings.SESSION_COOKIE_NAME in shown.get(b"cookie", ""):
            known = await by_session(shown[b"cookie"]) is not None
        else:
            return False
    except DATABASE_ERRORS as error:
        raise (translate(error) or Unavailable()) from None
    if not known:
        raise NotAuthenticated
    return True


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(f"The body has more than {limit} bytes, the maximum here.", details={"limit": limit})


def _measured(scope: Scope, receive: Receive, headers: dict[bytes, bytes]) -> Receive:
    """Return a `receive` that raises TooLarge when a body without a length is over the limit.

    At its end the Content-Length is added to the headers: Django and REST framework ignore a body without one.
    """
    size, limit = 0, ANONYMOUS_LIMIT

    async def measured() -> Message:
        nonlocal size, limit
        message = await receive()
        if message["type"] == "http.request":
            size += len(message.get("body", b""))
            if size > limit == ANONYMOUS_LIMIT:
                limit = await _limit(scope, headers)
            _check(size, limit)
            if not message.get("more_body", False):
                scope["headers"] = [*scope["headers"], (b"content-length", str(size).encode())]
        return message

    return measured


async def _refuse(send: Send, error: ColloquyError, more: Mapping[str, str]) -> None:
    id = new_id()
    body = orjson.dumps(error.payload(id))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (HEADER.encode(), id.encode()),
        *((name.lower().encode(), value.encode()) for name, value in {**headers_of(error), **more}.items()),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
