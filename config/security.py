"""What the browser is told not to load."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# What people and models write is shown in the admin: whatever slips through its rendering loads nothing from elsewhere.
POLICY = "img-src 'self' data:; media-src 'none'; object-src 'none'; frame-src 'none'; form-action 'self'"

View = Callable[[HttpRequest], HttpResponseBase]


def content_policy(get_response: View) -> View:
    """Adds the policy to every page."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response["Content-Security-Policy"] = POLICY
        return response

    return middleware
