"""Who one is: tokens, tickets, oneself."""

from __future__ import annotations

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema, inline_serializer
from knox import views as knox
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from conversations.api.fields import StrictSerializer, String
from conversations.api.requests import user_of
from conversations.api.serializers import UserSerializer
from conversations.errors import NotAuthenticated
from conversations.models import User
from conversations.services import accounts, budgets, limits


class LoginSerializer(StrictSerializer):
    username = String(max_length=150)
    password = String(max_length=4096, trim_whitespace=False)


TOKEN = inline_serializer(
    "Token",
    {"token": serializers.CharField(), "expiry": serializers.DateTimeField(allow_null=True), "user": UserSerializer()},
)
TICKET = inline_serializer("Ticket", {"ticket": serializers.CharField(), "expires_in": serializers.IntegerField()})
ME = inline_serializer(
    "Me", {"user": UserSerializer(), "budget": serializers.JSONField(), "limits": serializers.JSONField()}
)


class Login(APIView):
    """A token for a user's name and password."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(request=LoginSerializer, responses=TOKEN)
    def post(self, request: Request) -> Response:
        """Logs in."""
        serializer = LoginSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = authenticate(request, **serializer.validated_data)
        if not isinstance(user, User):
            raise NotAuthenticated("The username or the password is wrong.")
        token, text = accounts.issue_token(user=user)
        return Response({"token": text, "expiry": token.expiry, "user": UserSerializer(user).data})


@extend_schema(request=None, responses={204: None})
class Logout(knox.LogoutView):
    """Ends the token that the request came with."""


@extend_schema(request=None, responses={204: None})
class LogoutAll(knox.LogoutAllView):
    """Ends all the user's tokens."""


class WebSocketTicket(APIView):
    """A one-time ticket for `/ws/?ticket=`."""

    @extend_schema(request=None, responses=TICKET)
    def post(self, request: Request) -> Response:
        """Issues a ticket."""
        ticket = accounts.issue_ticket(user=user_of(request))
        return Response({"ticket": ticket, "expires_in": accounts.TICKET_SECONDS})


class Me(APIView):
    """The user behind the request."""

    @extend_schema(responses=ME)
    def get(self, request: Request) -> Response:
        """Oneself, and what one may still spend: of several budgets of one's own, the tightest."""
        user = user_of(request)
        own = [each for each in budgets.of(user) if each.scope == "user"]
        tightest = min(own, key=budgets.left, default=None)
        budget = budgets.shown(tightest) if tightest else None
        reached = {each.name: {"limit": each.most, "used": each.used} for each in limits.of(user)}
        return Response({"user": UserSerializer(user).data, "budget": budget, "limits": reached})
