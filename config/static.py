"""Static files from the web process itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

Respond = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise for sync and async chains: as a sync-only link it would hold a thread for as long as a view waits."""

    async_capable = True
    sync_capable = True

    def __init__(self, get_response: Respond) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """The file at this path, or what the rest of the chain answers."""
        return self._answer(request) if iscoroutinefunction(self) else super().__call__(request)

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        static_file = self.find_file(request.path_info) if self.autorefresh else self.files.get(request.path_info)
        if static_file is None:
            return await self.get_response(request)
        streamed = self.serve(static_file, request)
        # A static file is small, and an ASGI server would warn of a synchronous iterator.
        return HttpResponse(streamed.getvalue(), status=streamed.status_code, headers=dict(streamed.items()))
