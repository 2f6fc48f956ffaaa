"""Who one is: tokens, tickets, oneself."""

from __future__ import annotations

from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view, inline_serializer
from knox import views as knox
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.authentication import TokenAuthentication
from conversations.api.deletion_views import (
    AccountDeletionSerializer,
    DeletionSerializer,
    check_that_it_is_them,
    end_session,
)
from conversations.api.queries import Queried
from conversations.api.requesters import credential_of, user_of
from conversations.api.schema.error_components import errors
from conversations.api.serializer_fields import Json, StrictSerializer, String
from conversations.api.serializers import UserSerializer
from conversations.contract.account import Budget, Limit
from conversations.errors import NotAuthenticated
from conversations.models import Deletion, User
from conversations.services.accounts import accounts
from conversations.services.billing import budgets, user_limits
from conversations.services.deletion import account_deletion


class LoginSerializer(StrictSerializer):
    """A user name and a password."""

    username = String(max_length=150)
    password = String(max_length=4096, trim_whitespace=False)


TOKEN = inline_serializer(
    "Token",
    {"token": serializers.CharField(), "expiry": serializers.DateTimeField(allow_null=True), "user": UserSerializer()},
)
TICKET = inline_serializer("Ticket", {"ticket": serializers.CharField(), "expires_in": serializers.IntegerField()})
ME = inline_serializer(
    "Me",
    {
        "user": UserSerializer(),
        "budget": Json(shape=Budget, allow_null=True, help_text="Null if the user has no budget."),
        "limits": Json(shape=dict[str, Limit], help_text="Limits by their names; only those that are set."),
    },
)


class Login(Queried):
    """A token for a user's name and password."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    with_body = ("post",)

    @extend_schema(
        operation_id="login",
        summary="Log in",
        description="Returns a token for a user name and password. Send it as `Authorization: Bearer <token>`.",
        request=LoginSerializer,
        responses={200: TOKEN, **errors(401, 429)},
    )
    def post(self, request: Request) -> Response:
        """Return a new token for a user's name and password. Raises NotAuthenticated where they are wrong."""
        serializer = LoginSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = authenticate(request, **serializer.validated_data)
        if not isinstance(user, User):
            raise NotAuthenticated("The username or the password is wrong.")
        token, text = accounts.issue_token(user=user)
        return Response({"token": text, "expiry": token.expiry, "user": UserSerializer(user).data})


@extend_schema_view(
    post=extend_schema(
        operation_id="logout",
        summary="Log out",
        description="Revokes the token with which the request is authenticated.",
        request=None,
        responses={204: OpenApiResponse(description="The token is revoked.")},
    )
)
class Logout(Queried, knox.LogoutView):
    """End the token that the request came with."""

    authentication_classes = (TokenAuthentication,)


@extend_schema_view(
    post=extend_schema(
        operation_id="logoutAll",
        summary="Log out everywhere",
        description="Revokes all of the user's tokens.",
        request=None,
        responses={204: OpenApiResponse(description="All of the user's tokens are revoked.")},
    )
)
class LogoutAll(Queried, knox.LogoutAllView):
    """End all the user's tokens."""

    authentication_classes = (TokenAuthentication,)


class WebSocketTicket(Queried):
    """A one-time ticket for `/ws/?ticket=`."""

    @extend_schema(
        operation_id="createWebSocketTicket",
        summary="Create a WebSocket ticket",
        description="Returns a ticket that opens `/ws/?ticket=` once, within `expires_in` seconds.",
        request=None,
        responses=TICKET,
    )
    def post(self, request: Request) -> Response:
        """Return a new ticket for the WebSocket, which ends with the credential of this request."""
        ticket = accounts.issue_ticket(user=user_of(request), credential=credential_of(request))
        return Response({"ticket": ticket, "expires_in": accounts.TICKET_SECONDS})


class Me(Queried):
    """The user behind the request."""

    with_body = ("delete",)

    @extend_schema(
        operation_id="getMe",
        summary="Get the current user",
        description="Returns the authenticated user, with their budget and limits.",
        responses=ME,
    )
    def get(self, request: Request) -> Response:
        """Answer with the user, and what they may still spend: of several budgets of their own, the tightest."""
        user = user_of(request)
        own = [each for each in budgets.applying_to(user) if each.scope == "user"]
        tightest = min(own, key=budgets.left_of, default=None)
        budget = budgets.describe_budget(tightest) if tightest else None
        reached = {each.name: {"limit": each.most, "used": each.used} for each in user_limits.limits_of(user)}
        return Response({"user": UserSerializer(user).data, "budget": budget, "limits": reached})

    @extend_schema(
        operation_id="deleteMe",
        summary="Delete the account",
        description="Permanently deletes the user with all their data. Running work is stopped, and its cost booked. "
        "The ledger keeps usage and cost under a pseudonym. The report counts the deleted objects; its `finished_at` "
        "is null until everything is deleted.",
        request=AccountDeletionSerializer,
        responses={202: DeletionSerializer},
    )
    def delete(self, request: Request) -> Response:
        """Delete the user who asks, and shows that it is them; return the report with status 202."""
        check_that_it_is_them(request)
        report = account_deletion.delete_account(user=user_of(request), cause=Deletion.Cause.OWNER)
        end_session(request)
        return Response(DeletionSerializer(report).data, status=202)
