"""What protects users from those outside: how passwords are hashed, what the browser is told not to load."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# What people and models write is shown in the admin: whatever slips through its rendering loads nothing from elsewhere.
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
    """Argon2id at the cost that OWASP recommends, in one thread: logins leave the other cores to everybody else."""

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
