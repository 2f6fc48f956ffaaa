"""Answers to pages of other origins that are given before Django sees the request."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse

_middleware = CorsMiddleware(lambda _: HttpResponse())


def cors_headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers without which a page of another origin can't read the answer to this ASGI request."""
    if not settings.CORS_ORIGINS:
        return {}
    response = HttpResponse()
    del response.headers["Content-Type"]
    return dict(_middleware.add_response_headers(ASGIRequest(dict(scope), BytesIO()), response).items())
