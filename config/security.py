"""Protection against outsiders: password hashing and the content security policy."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# The admin shows texts of users and models: even if its sanitiser fails, nothing is loaded from other hosts.
POLICY = "img-src 'self' data:; media-src 'none'; object-src 'none'; frame-src 'none'; form-action 'self'"

View = Callable[[HttpRequest], HttpResponseBase]


def content_policy(get_response: View) -> View:
    """Add the policy to every page that has none of its own."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", POLICY)  # a view may have a stricter one
        return response

    return middleware


class Argon2(Argon2PasswordHasher):
    """Argon2id at the cost that OWASP recommends, in one thread, so that logins leave the other cores to others."""

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
