"""The endpoint by which users see who of the staff has viewed their data."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from conversations.api.queries import PageQuery, Queried
from conversations.models import Opening


class OpeningSerializer(serializers.ModelSerializer[Opening]):
    """A record that a member of staff opened one of the caller's objects."""

    class Meta:
        model = Opening
        fields = ("id", "staff", "kind", "object", "created_at")


@extend_schema_view(
    get=extend_schema(
        operation_id="listAccessLog",
        summary="List accesses by staff",
        description="Returns which members of staff opened which of the caller's conversations, turns, messages and "
        "attachments, newest first.",
    )
)
class AccessLog(Queried, ListAPIView[Opening]):
    """A list of staff's accesses to the caller's data, newest first."""

    serializer_class = OpeningSerializer
    queryset = Opening.objects.none()
    queries = {"get": PageQuery}

    def get_queryset(self) -> QuerySet[Opening]:
        """Return the openings of what belongs to the caller."""
        return Opening.objects.visible_to(self.request.user)
