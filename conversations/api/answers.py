"""Views whose answer takes time: it is awaited on the event loop, while no thread and no connection is held."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from conversations.api.errors import headers_of, translate
from conversations.api.middleware import id_of

View = Callable[..., Any]


class Later(Response):
    """A response that is not known yet when the view returns."""

    def __init__(self, then: Callable[[], Awaitable[HttpResponseBase | dict[str, Any]]], status: int = 200) -> None:
        super().__init__(status=status)
        self.then = then


def returning_connection(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """The view's answer, its connection back in the pool: Django would keep it until a stream's last byte is out."""
    try:
        return view(request, *args, **kwargs)
    finally:
        connection.close()


def awaited(view: View) -> View:
    """The view as an asynchronous one that waits for a `Later`."""

    @functools.wraps(view)
    async def waiting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = await sync_to_async(returning_connection)(view, request, *args, **kwargs)
        if not isinstance(response, Later):
            return response
        try:
            answer = await response.then()
        except Exception as error:
            ours = translate(error)
            if ours is None:
                raise
            return JsonResponse(ours.payload(id_of(request)), status=ours.status, headers=headers_of(ours))
        return answer if isinstance(answer, HttpResponseBase) else JsonResponse(answer, status=response.status_code)

    return waiting


class AwaitingRouter(SimpleRouter):
    """DRF's router, whose POST views may answer later."""

    def get_urls(self) -> list[Any]:
        """The viewsets' paths, with their views awaited."""
        urls = super().get_urls()
        for url in urls:
            url.callback = awaited(url.callback)  # type: ignore[arg-type]
        return urls
