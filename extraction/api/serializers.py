"""The shapes of the contract (api.md, Extraction)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from conversations.api.content_field import ContentField
from conversations.api.serializer_fields import Boolean, Integer, Json, StrictSerializer, String
from conversations.claude import parameters
from conversations.contract.error_types import Failure, StopReason
from conversations.contract.event_types import UsageSum
from conversations.contract.extraction_types import Evidence, JsonSchemaObject, Problem, ReviewShown, SchemaReference
from conversations.contract.input_blocks import ExtractedContentParam, Metadata
from conversations.contract.output_blocks import ContentBlock
from conversations.contract.wire import Block
from conversations.services.billing import ledger
from extraction.batches.results import final_data, review_of
from extraction.documents.sources import READ, Source
from extraction.models import Attempt, Extraction, SchemaVersion
from extraction.services.extractions import Spec, has_text


class SchemaField(Json):
    """A schema's id, its name, `name@version`, or a JSON Schema."""

    def to_internal_value(self, data: Any) -> Any:
        """Return JSON that can be stored; whether it is a schema is not told here, since that may take long."""
        if not isinstance(data, (str, dict)):
            raise serializers.ValidationError("Must be a schema's id or name, or a JSON Schema.")
        return super().to_internal_value(data)


class AskingSerializer(StrictSerializer):
    """What to extract, and how to ask for it."""

    schema = SchemaField(shape=SchemaReference)
    model = String(max_length=200, required=False)
    max_tokens = Integer(min_value=1, max_value=10_000_000, required=False)
    max_attempts = Integer(min_value=1, max_value=5, required=False, default=2)
    evidence = Boolean(
        required=False,
        help_text="Whether to ask Claude for a quote that supports each value. By default if the content has text.",
    )
    metadata = Json(dict, shape=Metadata, required=False)


@extend_schema_serializer(component_name="NewExtraction")
class ExtractionRequestSerializer(AskingSerializer):
    """A schema, and the content to extract data from."""

    content = ContentField(shape=ExtractedContentParam, documents=READ)

    def validate_content(self, blocks: list[Block]) -> list[Block]:
        """Return the blocks. Raises ValidationError for results of tools: nothing has called any."""
        if any(block["type"] == "tool_result" for block in blocks):
            raise serializers.ValidationError("Must not have tool_result blocks.")
        return blocks

    def validate(self, attrs: dict[str, Any]) -> dict[str, object]:
        """Return the fields with a model: any one, but not asked for more than it writes. Raises InvalidRequest."""
        asked = {"model": settings.COLLOQUY_DEFAULT_MODEL, **attrs}
        parameters.check_parameters({"model": asked["model"], "max_tokens": asked.get("max_tokens", 1)})
        return asked

    def spec(self, schema: SchemaVersion, content: list[Block], sources: Sequence[Source]) -> Spec:
        """Return what is asked for, once the request is validated; content is as `attachments` has stored it."""
        asked = self.validated_data
        return Spec(
            schema=schema,
            content=content,
            sources=sources,
            model=asked["model"],
            max_tokens=asked.get("max_tokens"),
            max_attempts=asked["max_attempts"],
            wants_evidence=asked.get("evidence", has_text(content)),
            metadata=asked.get("metadata", {}),
        )


class SchemaNameSerializer(serializers.ModelSerializer[SchemaVersion]):
    """The name and version of a schema; without a name if the schema was sent with the request."""

    class Meta:
        model = SchemaVersion
        fields = ("id", "name", "version")


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
    def get_usage(self, attempt: Attempt) -> UsageSum:
        """Return the sums of what the attempt's requests used."""
        return ledger.usage_sum(attempt.ledger_rows)


class ExtractionSerializer(serializers.ModelSerializer[Extraction]):
    """An extraction. Its data is available when it has ended."""

    attempts = AttemptSerializer(many=True)
    status = serializers.ChoiceField(Extraction.Status.choices)
    schema = Json(source="schema.json_schema", shape=JsonSchemaObject)
    schema_version = SchemaNameSerializer(source="schema", help_text="The user's schema and its version.")
    metadata = Json(shape=Metadata)
    data = Json()  # type: ignore[assignment]
    problems = Json(shape=list[Problem])
    error = Json(shape=Failure, allow_null=True)
    evidence = Json(shape=list[Evidence])
    usage = serializers.SerializerMethodField()
    cost = serializers.SerializerMethodField(help_text="US dollars; null if a price is unknown.")
    review = serializers.SerializerMethodField(help_text="The last decision of a reviewer; null if there is none.")
    final = serializers.SerializerMethodField(
        help_text="The final data: the corrected data if there is a correction, otherwise the extracted data."
    )

    class Meta:
        model = Extraction
        fields = (
            "id",
            "status",
            "model",
            "max_tokens",
            "schema",
            "schema_version",
            "data",
            "problems",
            "evidence",
            "review",
            "final",
            "error",
            "attempts",
            "usage",
            "cost",
            "metadata",
            "created_at",
            "started_at",
            "finished_at",
        )

    @extend_schema_field(Json(shape=UsageSum))
    def get_usage(self, extraction: Extraction) -> UsageSum:
        """Return the usage of all attempts together."""
        return ledger.usage_sum(extraction.ledger_rows)

    def get_cost(self, extraction: Extraction) -> str | None:
        """Return the cost of all attempts together; None where a price is not known."""
        return ledger.total_cost(extraction.ledger_rows)

    @extend_schema_field(Json(shape=ReviewShown, allow_null=True))
    def get_review(self, extraction: Extraction) -> ReviewShown | None:
        """Return the last decision of a reviewer."""
        return review_of(extraction)

    @extend_schema_field(Json())
    def get_final(self, extraction: Extraction) -> object:
        """Return the data that counts."""
        return final_data(extraction)
