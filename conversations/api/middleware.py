"""A request id for every request: in the response's header, in every error, in the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from conversations.fields import uuid7

HEADER = "request-id"


def id_of(request: HttpRequest) -> str:
    """The id of a request, made up when it is first asked for."""
    if not hasattr(request, "colloquy_id"):
        request.colloquy_id = f"req_{uuid7().hex}"  # type: ignore[attr-defined]
    return str(request.colloquy_id)  # type: ignore[attr-defined]


@sync_and_async_middleware
def request_id(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., object]:
    """Adds the id to the response's headers."""

    def label(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response[HEADER] = id_of(request)
        return response

    async def async_middleware(request: HttpRequest) -> HttpResponseBase:
        answered: Awaitable[HttpResponseBase] = get_response(request)  # type: ignore[assignment]
        return label(request, await answered)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return label(request, get_response(request))

    return async_middleware if iscoroutinefunction(get_response) else middleware
