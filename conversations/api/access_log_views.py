"""What one can see of who has looked at one's conversations."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from conversations.api.queries import PageQuery, Queried
from conversations.models import Opening


class OpeningSerializer(serializers.ModelSerializer[Opening]):
    """One time that somebody of the staff opened something of the caller's."""

    class Meta:
        model = Opening
        fields = ("id", "staff", "kind", "object", "created_at")


@extend_schema_view(
    get=extend_schema(
        operation_id="listAccessLog",
        summary="List staff's accesses",
        description="Who of the staff opened which of the caller's conversations, turns, messages, attachments; newest "
        "first.",
    )
)
class AccessLog(Queried, ListAPIView[Opening]):
    """Who of the staff opened which of the caller's conversations, turns, messages, attachments; newest first."""

    serializer_class = OpeningSerializer
    queryset = Opening.objects.none()
    queries = {"get": PageQuery}

    def get_queryset(self) -> QuerySet[Opening]:
        """Return the openings of what belongs to the caller."""
        return Opening.objects.visible_to(self.request.user)
