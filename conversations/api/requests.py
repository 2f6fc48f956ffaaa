from __future__ import annotations

from rest_framework.request import Request

from conversations.models import User


def user_of(request: Request) -> User:
    """The user behind a request that has been let through."""
    assert isinstance(request.user, User), "the view lets nobody else through"
    return request.user
