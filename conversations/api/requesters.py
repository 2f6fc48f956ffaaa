"""The user and the credential of an authenticated request."""

from __future__ import annotations

from knox.models import AuthToken
from rest_framework.request import Request

from conversations.models import User
from conversations.services.accounts.credentials import Credential


def user_of(request: Request) -> User:
    """Return the user behind the request."""
    assert isinstance(request.user, User), "the view lets nobody else through"
    return request.user


def credential_of(request: Request) -> Credential:
    """Return the credential of the request."""
    if isinstance(request.auth, AuthToken):
        return Credential.of_token(request.auth)
    return Credential.of_session(user_of(request), request._request.session.session_key or "")
