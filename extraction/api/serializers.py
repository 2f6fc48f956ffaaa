"""The shapes of the contract (api.md, Extraction)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from conversations.api.serializer_fields import Integer, Json, StrictSerializer, String
from conversations.api.serializers import ContentField
from conversations.claude import parameters
from conversations.contract.error_types import Failure, StopReason
from conversations.contract.event_types import UsageSum
from conversations.contract.extraction_types import Evidence, JsonSchemaObject, Problem
from conversations.contract.output_blocks import ContentBlock
from conversations.errors import NotFound
from conversations.models import Usage
from conversations.services import ledger
from extraction.models import Attempt, Extraction


class SchemaField(Json):
    """An inline JSON Schema."""

    def to_internal_value(self, data: Any) -> Any:
        """Return JSON that can be stored; whether it is a schema is not told here, since that may take long."""
        if isinstance(data, str):
            raise NotFound("There is no such schema.")
        return super().to_internal_value(data)


@extend_schema_serializer(component_name="NewExtraction")
class ExtractionRequestSerializer(StrictSerializer):
    """What to extract, and from what."""

    schema = SchemaField(shape=JsonSchemaObject)
    content = ContentField()
    model = String(max_length=200, required=False)
    max_tokens = Integer(min_value=1, max_value=10_000_000, required=False)
    max_attempts = Integer(min_value=1, max_value=5, required=False, default=2)

    def validate_content(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the blocks. Raises ValidationError for results of tools: nothing has called any."""
        if any(block["type"] == "tool_result" for block in blocks):
            raise serializers.ValidationError("Must not have tool_result blocks.")
        return blocks

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the fields with a model: any one, but not asked for more than it writes. Raises InvalidRequest."""
        asked = {"model": settings.COLLOQUY_DEFAULT_MODEL, **attrs}
        parameters.check_parameters({"max_tokens": 1, **asked})
        return asked


def rows_of(*attempts: Attempt) -> list[Usage]:
    """Return the ledger's rows of attempts, with what corrects them."""
    booked = [attempt.usage for attempt in attempts if attempt.usage]
    return [row for first in booked for row in (first, *first.corrections.all())]


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One request to Claude."""

    content = Json(shape=list[ContentBlock])
    stop_reason = Json(shape=StopReason, allow_null=True)
    problems = Json(shape=list[Problem])
    usage = serializers.SerializerMethodField()

    class Meta:
        model = Attempt
        fields = ("number", "native", "content", "stop_reason", "problems", "usage", "created_at")

    @extend_schema_field(Json(shape=UsageSum))
    def get_usage(self, attempt: Attempt) -> dict[str, int]:
        """Return the sums of what the attempt's requests used."""
        return ledger.usage_sum(rows_of(attempt))


class ExtractionSerializer(serializers.ModelSerializer[Extraction]):
    """An extraction; its data is there when it has ended."""

    attempts = AttemptSerializer(many=True)
    status = serializers.ChoiceField(Extraction.Status.choices)
    schema = Json(shape=JsonSchemaObject)
    data = Json()  # type: ignore[assignment]
    problems = Json(shape=list[Problem])
    error = Json(shape=Failure, allow_null=True)
    evidence = serializers.SerializerMethodField(help_text="Where in the source each value stands.")
    usage = serializers.SerializerMethodField()
    cost = serializers.SerializerMethodField(help_text="US dollars; null where a price is not known.")

    class Meta:
        model = Extraction
        fields = (
            "id",
            "status",
            "model",
            "max_tokens",
            "schema",
            "data",
            "problems",
            "evidence",
            "error",
            "attempts",
            "usage",
            "cost",
            "created_at",
            "started_at",
            "finished_at",
        )

    @extend_schema_field(Json(shape=list[Evidence]))
    def get_evidence(self, extraction: Extraction) -> list[dict[str, Any]]:
        """None is looked for yet."""
        return []

    @extend_schema_field(Json(shape=UsageSum))
    def get_usage(self, extraction: Extraction) -> dict[str, int]:
        """The sums over the attempts."""
        return ledger.usage_sum(rows_of(*extraction.attempts.all()))

    def get_cost(self, extraction: Extraction) -> str | None:
        """What the attempts cost together."""
        return ledger.total_cost(rows_of(*extraction.attempts.all()))
