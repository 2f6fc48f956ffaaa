"""What was deleted of one's own, and deleting oneself."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth import authenticate, logout
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from knox.models import AuthToken
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request

from conversations import clock
from conversations.api.queries import PageQuery, Queried
from conversations.api.requesters import user_of
from conversations.api.serializer_fields import Json, StrictSerializer, String
from conversations.errors import InvalidRequest, PermissionDenied
from conversations.models import Deletion

FRESH = timedelta(minutes=10)
"""The time after a login for which a session needs no password to delete the account."""


class DeletionSerializer(serializers.ModelSerializer[Deletion]):
    """A report on a deletion: the kinds and counts of the deleted objects."""

    erased = Json(shape=dict[str, int], read_only=True, help_text="The number of deleted objects of each kind.")

    class Meta:
        model = Deletion
        fields = ("id", "kind", "cause", "erased", "created_at", "finished_at")


class AccountDeletionSerializer(StrictSerializer):
    """A confirmation that the user wants to delete their account."""

    password = String(
        required=False,
        max_length=4096,
        trim_whitespace=False,
        help_text="The user's password. Optional in a browser session that began within the last 10 minutes.",
    )


@extend_schema_view(
    get=extend_schema(
        operation_id="listDeletions",
        summary="List deletions",
        description="Returns reports on deletions of the caller's data, with the kinds and counts of the deleted "
        "objects, newest first.",
    )
)
class Deletions(Queried, ListAPIView[Deletion]):
    """Reports of what was deleted of the caller's, newest first."""

    serializer_class = DeletionSerializer
    queryset = Deletion.objects.none()
    queries = {"get": PageQuery}

    def get_queryset(self) -> QuerySet[Deletion]:
        """Return the reports of what belonged to the caller."""
        return Deletion.objects.visible_to(self.request.user)


def check_that_it_is_them(request: Request) -> None:
    """Raise InvalidRequest if a password is needed and missing, PermissionDenied if it is wrong.

    Raises RateLimited where too many passwords were wrong.
    """
    serializer = AccountDeletionSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    user, password = user_of(request), serializer.validated_data.get("password")
    if password is not None:
        if authenticate(request, username=user.get_username(), password=password) is None:
            raise PermissionDenied(
                "password: The password is wrong. The account was not deleted.", details={"password": "wrong"}
            )
        return
    in_session = not isinstance(request.auth, AuthToken)
    if not (in_session and user.last_login and user.last_login > clock.now() - FRESH):
        raise InvalidRequest(
            "password: Is required, except in a browser session that began within the last 10 minutes.",
            details={"password": "is needed"},
        )


def end_session(request: Request) -> None:
    """Delete the session cookie of a deleted user."""
    if not isinstance(request.auth, AuthToken):
        logout(request._request)
