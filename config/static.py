"""Static files from the web process itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, but a file is sent whole: it is small, and ASGI servers warn of synchronous iterators."""

    def serve(self, static_file: Any, request: HttpRequest) -> HttpResponse:
        """The file."""
        streamed = super().serve(static_file, request)
        return HttpResponse(streamed.getvalue(), status=streamed.status_code, headers=dict(streamed.items()))
