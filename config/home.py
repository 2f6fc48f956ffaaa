"""The page at `/`: what this is, and where to go."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Answer with the page, which needs no login and loads nothing but its style sheet and its icon."""
    response = render(request, "config/home.html", {"sandbox": settings.SANDBOX})
    response["Content-Security-Policy"] = POLICY
    return response
