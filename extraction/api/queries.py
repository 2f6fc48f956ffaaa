"""The query parameters of extractions and schemas."""

from __future__ import annotations

from rest_framework import serializers

from conversations.api.queries import Digits, Flag, PageQuery, Query
from extraction.models import Extraction, Review
from extraction.services.reviews import PENDING

NAME_LIMIT = 120  # characters of `name@version`


class ExtractionsQuery(PageQuery):
    status = serializers.ChoiceField(Extraction.Status.choices, required=False)
    schema = serializers.CharField(
        required=False, allow_blank=True, max_length=NAME_LIMIT, help_text="A schema's id, name or `name@version`."
    )
    batch = serializers.UUIDField(required=False, help_text="Return only extractions of this batch.")
    in_batch = Flag(
        required=False, help_text="Return only extractions that belong to a batch, or only those that do not."
    )
    review = serializers.ChoiceField(
        [PENDING, *Review.Decision.values],
        required=False,
        help_text="Filter by the last review decision; `pending` means not reviewed yet.",
    )


class PositionQuery(Query):
    after = Digits(required=False, min_value=0, help_text="A position: the stream continues after it. By default 0.")
