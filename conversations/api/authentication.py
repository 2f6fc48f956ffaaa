"""How users are recognised: by a bearer token, or by a name and a password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Q
from django.db.models.functions import Now
from knox import auth as knox
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from conversations.models import User
from conversations.services import login_failures


class TokenAuthentication(knox.TokenAuthentication):
    """Knox's tokens, looked up in one statement, by the database's clock. What has expired is removed at night."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        """Return whose token this is, and its row. Raises AuthenticationFailed."""
        unexpired = Q(expiry=None) | Q(expiry__gt=Now())
        found = (
            AuthToken.objects.select_related("user")
            .filter(unexpired, digest=hash_token(token.decode(errors="replace")), user__is_active=True)
            .first()
        )
        if found is None:
            raise AuthenticationFailed("The token is not valid, or not any more.")
        return found.user, found


class LimitedPasswords(ModelBackend):
    """Names and passwords, at every door that takes them: the API's login and the admin's form."""

    def authenticate(self, request: Any, username: Any = None, password: Any = None, **others: Any) -> Any:
        """Return the user, or None. Raises RateLimited where too many logins have failed before."""
        if username is None or password is None:
            return None
        address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
        attempt = login_failures.count_attempt(name=username, address=address)
        user = super().authenticate(request, username, password, **others)
        if user is not None:
            login_failures.forget_attempts(attempt)
        return user
