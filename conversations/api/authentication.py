"""Authentication by a bearer token, or by a name and a password."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from knox import auth as knox
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from conversations.models import User
from conversations.running.engine import running_engine
from conversations.services.accounts import login_failures
from conversations.services.accounts.remembered_tokens import LONG_MEMORY, MEMORY, ValidToken, find


class TokenAuthentication(knox.TokenAuthentication):
    """Knox's tokens, looked up in one statement, by the database's clock. What has expired is removed at night.

    For requests that only read, a token may be cached for a moment; for those whose view checks the credential in the
    same transaction as its work (`checks_credential`), for longer. For any other command the token is looked up.
    """

    _find: Callable[[str], ValidToken | None] = staticmethod(find)

    def authenticate(self, request: Request) -> tuple[User, AuthToken] | None:
        """Return the user and the token's row; None if the request has no token.

        Raises AuthenticationFailed where the token is not valid.
        """
        memory = _memory_for(request)
        if memory and (here := running_engine()):
            self._find = partial(here.tokens.find, memory=memory)
        found: tuple[User, AuthToken] | None = super().authenticate(request)
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        """Return the token's user and row. Raise AuthenticationFailed."""
        found = self._find(hash_token(token.decode(errors="replace")))
        if found is None:
            raise AuthenticationFailed("The token is invalid or expired: log in to get a new one.")
        return found.instances()


def _memory_for(request: Request) -> float:
    """Return the maximal age in seconds of a cached token look-up for a request; 0 for no caching."""
    if getattr((request.parser_context or {}).get("view"), "checks_credential", False):
        return LONG_MEMORY
    return MEMORY if request.method in SAFE_METHODS else 0


class LimitedPasswords(ModelBackend):
    """Password authentication with rate limits, for the API's login and the admin's form."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **others: Any
    ) -> Any:
        """Return the user, or None. Raise RateLimited after too many failed logins."""
        if username is None or password is None:
            return None
        address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
        attempt = login_failures.count_attempt(name=username, address=address)
        user = super().authenticate(request, username, password, **others)
        if user is not None:
            login_failures.forget_attempts(attempt)
        return user
