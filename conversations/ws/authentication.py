"""Who opens a WebSocket: a one-time ticket, a bearer token, or a session from an allowed origin."""

from __future__ import annotations

from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.http.request import validate_host
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from conversations.models import User
from conversations.services import accounts
from conversations.ws.codes import FORBIDDEN_ORIGIN, NOT_AUTHENTICATED


class Refused(Exception):
    """The handshake is refused, with a close code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def authenticate(scope: dict[str, Any]) -> User:
    """The user who opens the socket; raises Refused.

    A browser sends its cookies from any page, so a session counts only with an origin that is ours. A ticket or a token
    is proof enough in itself, but a page that sends one must be ours too.
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    origin = headers.get("origin")
    if origin is not None and not _allowed(origin):
        raise Refused(FORBIDDEN_ORIGIN)
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    if "ticket" in query:
        user = accounts.redeem_ticket(ticket=query["ticket"][0])
    elif "authorization" in headers:
        user = _by_token(headers["authorization"])
    else:
        user = _by_session(headers.get("cookie", "")) if origin is not None else None
    if user is None:
        raise Refused(NOT_AUTHENTICATED)
    return user


def _allowed(origin: str) -> bool:
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    host = urlsplit(origin).hostname
    return host is not None and validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS)


def _by_token(header: str) -> User | None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    try:
        user, _ = TokenAuthentication().authenticate_credentials(token.strip().encode())
    except AuthenticationFailed:
        return None
    return user if isinstance(user, User) else None


def _by_session(cookie: str) -> User | None:
    morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    if morsel is None:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    user = get_user(request)
    return user if isinstance(user, User) else None
