"""The API of reviews: a decision on an extraction's data."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from conversations.api.serializer_fields import Json, StrictSerializer, String
from conversations.errors import InvalidRequest
from conversations.exact_json import dumps
from conversations.json_types import JSON
from extraction import checks
from extraction.models import Extraction, Review


@extend_schema_serializer(component_name="NewReview")
class ReviewRequestSerializer(StrictSerializer):
    """A decision on extracted data."""

    decision = serializers.ChoiceField(Review.Decision.choices)
    data = Json(  # type: ignore[assignment]
        required=False, help_text="For corrections: the complete corrected data."
    )
    comment = String(required=False, allow_blank=True, max_length=10_000)


async def check_correction(extraction: Extraction, data: JSON) -> None:
    """Refuse corrected data that does not satisfy the extraction's schema, by InvalidRequest with the places."""
    judgement = await checks.judged(extraction.owner_id, extraction.schema.json_schema, dumps(data))
    if judgement.problems:
        places = {f"data{each['path']}": each["message"] for each in judgement.problems}
        [(place, message), *_] = places.items()
        raise InvalidRequest(f"{place}: {message}", details=places)
