"""A request id for every request: in the response's header, in every error, in the log."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from conversations.fields import uuid7

HEADER = "request-id"


def new_id() -> str:
    """Return an id for a request."""
    return f"req_{uuid7().hex}"


def id_of(request: HttpRequest) -> str:
    """Return the id of a request, made up when it is first asked for."""
    if not hasattr(request, "colloquy_id"):
        request.colloquy_id = new_id()  # type: ignore[attr-defined]
    return str(request.colloquy_id)  # type: ignore[attr-defined]


def request_id(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Adds the id to the response's headers."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response[HEADER] = id_of(request)
        return response

    return middleware
