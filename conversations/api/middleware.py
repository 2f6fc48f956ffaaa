"""Middleware for all requests: request ids in headers, errors and the log; and redirects."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.utils.functional import LazyObject

from conversations.fields import uuid7
from conversations.log_context import note

HEADER = "request-id"
READING = ("GET", "HEAD")


def new_id() -> str:
    """Return an id for a request."""
    return f"req_{uuid7().hex}"


def id_of(request: HttpRequest) -> str:
    """Return the id of a request, generated on first use."""
    if not hasattr(request, "colloquy_id"):
        request.colloquy_id = new_id()  # type: ignore[attr-defined]
    return str(request.colloquy_id)  # type: ignore[attr-defined]


def _known_user(request: HttpRequest) -> object:
    """Return the id of the user if it is already known: logging triggers no query."""
    user = getattr(request, "_cached_user", None) or request.__dict__.get("user")
    return None if isinstance(user, LazyObject) else getattr(user, "pk", None)


def request_id(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Add the id to the response's headers and to the request's lines in the log."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        note(request=id_of(request), user=lambda: _known_user(request))
        response = get_response(request)
        note(user=_known_user(request))  # a later body keeps no request
        response[HEADER] = id_of(request)
        return response

    return middleware


class RedirectsOfReaders(CommonMiddleware):
    """Django's redirection to the path with a final slash, limited to methods that only read.

    A redirected POST would arrive as a GET, without its body, and silently do nothing.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        """Return whether a request is redirected; other methods get 404."""
        return request.method in READING and super().should_redirect_with_slash(request)
