"""The API's representation of extractions."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from extraction.api.serializers import ExtractionSerializer
from extraction.models import Extraction


def with_all(rows: QuerySet[Extraction]) -> QuerySet[Extraction]:
    """Return extractions with all data that their serializer shows."""
    return rows.select_related("schema").prefetch_related("attempts__answers__usage__corrections", "reviews__reviewer")


def shown(id: uuid.UUID) -> dict[str, object]:
    """Return the present state of an extraction, serialized."""
    extraction = with_all(Extraction.objects.all()).get(pk=id)
    data: dict[str, object] = dict(ExtractionSerializer(extraction).data)  # type: ignore[call-overload]  # a field hides it
    return data
