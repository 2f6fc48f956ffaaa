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
    batch = serializers.UUIDField(required=False, help_text="Those of a batch's items.")
    in_batch = Flag(required=False, help_text="Those of batches' items, or all others.")
    review = serializers.ChoiceField(
        [PENDING, *Review.Decision.values], required=False, help_text="By the last decision; `pending`: none yet."
    )


class PositionQuery(Query):
    after = Digits(required=False, min_value=0, help_text="A position; default 0.")
