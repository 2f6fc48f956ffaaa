"""Authentication of WebSockets: by a one-time ticket, a bearer token, or a session from an allowed origin."""

from __future__ import annotations

from http.cookies import SimpleCookie
from importlib import import_module
from io import BytesIO
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from knox.crypto import hash_token

from conversations.asgi_types import Scope
from conversations.database import in_database
from conversations.models import User
from conversations.running.engine import engine
from conversations.services.accounts import accounts
from conversations.services.accounts.credentials import Credential
from conversations.ws.codes import FORBIDDEN_ORIGIN, NOT_AUTHENTICATED

HTTP = {"ws": "http", "wss": "https"}
"""The HTTP scheme of a page's origin, by the scheme of its sockets."""


class Refused(Exception):
    """The handshake is refused, with a close code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


async def authenticate(scope: Scope) -> tuple[User, Credential]:
    """Return the user who opens the socket, and their credential. Raise Refused.

    A browser sends its cookies from any page, so a session counts only with an allowed origin. A ticket or a token is
    sufficient by itself, but a page that sends one must have an allowed origin, too, unless COLLOQUY_CORS_ORIGINS is
    `*`. A ticket is used up in any case.
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    by_ticket = await in_database(accounts.redeem_ticket, ticket=query["ticket"][0]) if "ticket" in query else None
    origin = headers.get("origin")
    by_cookie = by_ticket is None and "authorization" not in headers
    from_anywhere = settings.CORS_ALLOW_ALL_ORIGINS and not by_cookie
    if origin is not None and not from_anywhere and not _is_ours(origin, scope):
        raise Refused(FORBIDDEN_ORIGIN)
    if "ticket" in query:
        found = by_ticket
    elif "authorization" in headers:
        found = await by_token(headers["authorization"])
    else:
        found = await by_session(headers.get("cookie", "")) if origin is not None else None
    if found is None:
        raise Refused(NOT_AUTHENTICATED)
    return found


def _is_ours(origin: str, scope: Scope) -> bool:
    """Return whether an origin is that of the request itself, at an allowed host, or one in the settings.

    Scheme, host and port have to be equal: this is Django's own comparison, which protects its forms.
    """
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    request = ASGIRequest(
        {**scope, "type": "http", "method": "GET", "scheme": HTTP[scope.get("scheme", "ws")]}, BytesIO()
    )
    try:
        return origin == f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return False


async def by_token(header: str) -> tuple[User, Credential] | None:
    """Return the user and credential of an `Authorization` header; None if it is not valid."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    found = await (await engine()).tokens.find_together(hash_token(token.strip()))
    if found is None:
        return None
    user, row = found.instances()
    return user, Credential.of_token(row)


async def by_session(cookie: str) -> tuple[User, Credential] | None:
    """Return the user and credential of a `Cookie` header; None if it is not valid."""
    morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    return await in_database(_of_session, morsel.value) if morsel else None


def _of_session(key: str) -> tuple[User, Credential] | None:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    return (user, Credential.of_session(user, key)) if isinstance(user, User) else None
