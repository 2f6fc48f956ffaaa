"""An extraction as the API shows it."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from extraction.api.serializers import ExtractionSerializer
from extraction.models import Extraction


def with_all(rows: QuerySet[Extraction]) -> QuerySet[Extraction]:
    """Return extractions with what their serializer shows."""
    return rows.select_related("schema").prefetch_related("attempts__answers__usage__corrections", "reviews__reviewer")


def shown(id: uuid.UUID) -> dict[str, object]:
    """Return an extraction as the API shows it now."""
    extraction = with_all(Extraction.objects.all()).get(pk=id)
    data: dict[str, object] = dict(ExtractionSerializer(extraction).data)  # type: ignore[call-overload]  # a field hides it
    return data
