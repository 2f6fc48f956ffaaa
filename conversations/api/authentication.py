"""Bearer tokens."""

from __future__ import annotations

from django.db.models import Q
from django.db.models.functions import Now
from knox import auth as knox
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from conversations.models import User


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
