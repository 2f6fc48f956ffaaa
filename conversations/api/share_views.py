"""Sharing a conversation with users and groups."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.pagination import Pages
from conversations.api.queries import PageQuery, Queried
from conversations.api.requesters import user_of
from conversations.api.serializer_fields import StrictSerializer, String
from conversations.api.serializers import moment
from conversations.models import Share
from conversations.services.accounts import shares


@extend_schema_field({"type": ["string", "integer"]})
class GroupName(String):
    """A group's name, or its id as an integer."""

    def to_internal_value(self, data: object) -> str:
        """Return the name, or the id in digits. Raises ValidationError for any other type."""
        return super().to_internal_value(str(data) if type(data) is int else data)


class NewShareSerializer(StrictSerializer):
    """The user or the group to share with; exactly one of them."""

    user = String(required=False, max_length=150, help_text="The name or id of a user.")
    group = GroupName(required=False, max_length=150, help_text="The name or id of a group.")
    role = serializers.ChoiceField(Share.Role.choices)

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        """Require one of user and group."""
        if ("user" in attrs) == ("group" in attrs):
            raise serializers.ValidationError({"user": "Give either `user` or `group`, not both."})
        return attrs


class ShareSerializer(serializers.Serializer[Share]):
    """A user or group with whom a conversation is shared, and their role."""

    id = serializers.UUIDField()
    user = serializers.CharField(allow_null=True, help_text="The user's name; null for a group.")
    group = serializers.CharField(allow_null=True, help_text="The group's name; null for a user.")
    role = serializers.ChoiceField(Share.Role.choices)
    created_at = serializers.DateTimeField()

    def to_representation(self, instance: Share) -> dict[str, object]:
        """Return the fields of a share."""
        return {
            "id": str(instance.pk),
            "user": instance.user and instance.user.username,
            "group": instance.group and instance.group.name,
            "role": str(instance.role),
            "created_at": moment(instance.created_at),
        }


class Shares(Queried):
    """With whom a conversation is shared; for its owner."""

    pagination_class = Pages
    queries = {"get": PageQuery}
    with_body = ("post",)

    @extend_schema(
        operation_id="listShares",
        summary="List a conversation's shares",
        description="Returns the users and groups with whom the conversation is shared. Only its owner may list them.",
        responses=ShareSerializer(many=True),
    )
    def get(self, request: Request, pk: str) -> Response:
        """Answer with a page of the shares, the oldest first."""
        pages = Pages()
        found = pages.page(shares.shares_of(user=user_of(request), conversation_id=pk), "id", request)
        return pages.get_paginated_response(ShareSerializer(found, many=True).data)  # type: ignore[arg-type]

    @extend_schema(
        operation_id="createShare",
        summary="Share a conversation",
        description="Gives a user, or all members of a group, access to the conversation: as `reader`, or as "
        "`writer`, who can also create turns. Sharing it with the same user or group again changes their role.",
        request=NewShareSerializer,
        responses={
            201: ShareSerializer,
            200: OpenApiResponse(
                ShareSerializer,
                description="The conversation was already shared with this user or group; the response has their "
                "current role.",
            ),
        },
    )
    def post(self, request: Request, pk: str) -> Response:
        """Share the conversation; answer with the share."""
        asked = NewShareSerializer.checked_values(request.data)
        made, new = shares.share(
            user=user_of(request),
            conversation_id=pk,
            with_user=asked.get("user"),
            with_group=asked.get("group"),
            role=asked["role"],
        )
        return Response(ShareSerializer(made).data, status=201 if new else 200)


class OneShare(Queried):
    """One share of a conversation; for its owner."""

    @extend_schema(
        operation_id="deleteShare",
        summary="Delete a share",
        description="Ends the access of this user or group. Their open streams of the conversation are closed "
        "within 5 seconds.",
        request=None,
        responses={204: OpenApiResponse(description="The share is deleted.")},
    )
    def delete(self, request: Request, pk: str, share: str) -> Response:
        """End a share; answer with status 204."""
        shares.withdraw(user=user_of(request), conversation_id=pk, share_id=share)
        return Response(status=204)
