"""CORS headers of responses that are sent before Django sees the request."""

from __future__ import annotations

from io import BytesIO

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse

from conversations.asgi_types import Scope

_middleware = CorsMiddleware(lambda _: HttpResponse())


def cors_headers(scope: Scope) -> dict[str, str]:
    """Return the headers that allow a page of another origin to read the response to this ASGI request."""
    if not settings.CORS_ORIGINS:
        return {}
    response = HttpResponse()
    del response.headers["Content-Type"]
    return dict(_middleware.add_response_headers(ASGIRequest(dict(scope), BytesIO()), response).items())
