"""The shapes of batches (api.md, Extraction)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from conversations.api.content_field import ContentField
from conversations.api.queries import Digits, Flag, PageQuery, Query
from conversations.api.serializer_fields import Integer, Json, StrictSerializer, String
from conversations.claude import parameters
from conversations.claude.pricing import decimal_string
from conversations.contract.error_types import Failure
from conversations.contract.extraction_types import Problem
from conversations.contract.input_blocks import Metadata
from extraction.api.serializers import AskingSerializer, SchemaNameSerializer
from extraction.batches import progress
from extraction.batches.results import result_of
from extraction.models import Batch, Item, SchemaVersion
from extraction.services.batches import CONCURRENCY, NewBatch

CONCURRENCY_LIMIT = 100
FORMATS = ("jsonl", "csv", "xlsx")


class NewItemSerializer(StrictSerializer):
    """The content to extract data from, and a key to identify it."""

    key = String(max_length=255)
    content = ContentField()


@extend_schema_serializer(component_name="BatchSettings")
class BatchSettingsSerializer(AskingSerializer):
    """What to do with every item of a batch."""

    mode = serializers.ChoiceField(Batch.Mode.choices, required=False, default=Batch.Mode.LIVE)
    concurrency = Integer(
        min_value=1,
        max_value=CONCURRENCY_LIMIT,
        required=False,
        default=CONCURRENCY,
        help_text="The number of items processed at the same time, over all workers; has no effect if `mode` is "
        "`batch`.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, object]:
        """Return the fields with a model: any one, but not asked for more than it writes. Raises InvalidRequest."""
        asked = {"model": settings.COLLOQUY_DEFAULT_MODEL, **attrs}
        parameters.check_parameters({"model": asked["model"], "max_tokens": asked.get("max_tokens", 1)})
        return asked


def new_batch(asked: dict[str, Any], schema: SchemaVersion) -> NewBatch:
    """Return the new batch of validated settings."""
    return NewBatch(
        schema=schema,
        mode=asked["mode"],
        concurrency=asked["concurrency"],
        model=asked["model"],
        max_tokens=asked.get("max_tokens"),
        max_attempts=asked["max_attempts"],
        wants_evidence=asked.get("evidence"),
        metadata=asked.get("metadata", {}),
    )


@extend_schema_serializer(component_name="NewBatch")
class NewBatchSerializer(BatchSettingsSerializer):
    """A batch with all of its items."""

    items = NewItemSerializer(many=True)


class BatchFilesSerializer(BatchSettingsSerializer):
    """The settings of a batch of files."""

    files = serializers.ListField(child=serializers.FileField())


class CountsSerializer(serializers.Serializer[object]):
    """The number of items by status."""

    shows_every_field = True

    total = serializers.IntegerField()
    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    invalid = serializers.IntegerField()
    refused = serializers.IntegerField()
    truncated = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class BatchSerializer(serializers.ModelSerializer[Batch]):
    """A batch, with its progress."""

    schema = SchemaNameSerializer()
    metadata = Json(shape=Metadata)
    counts = serializers.SerializerMethodField()
    cost = serializers.SerializerMethodField(help_text="US dollars so far; null if a price is unknown.")
    expected_cost = serializers.SerializerMethodField(
        help_text="The expected total in US dollars, estimated from the items that have ended; null until one has."
    )
    seconds_left = serializers.SerializerMethodField(
        help_text="The estimated remaining time, from the recent speed; null if it is unknown."
    )

    class Meta:
        model = Batch
        fields = (
            "id",
            "status",
            "mode",
            "schema",
            "model",
            "max_tokens",
            "max_attempts",
            "concurrency",
            "metadata",
            "counts",
            "cost",
            "expected_cost",
            "seconds_left",
            "created_at",
            "finished_at",
        )

    def to_representation(self, instance: Batch) -> dict[str, object]:
        """Return the batch as the API shows it."""
        self._progress = progress.of_batch(instance)
        return super().to_representation(instance)

    @extend_schema_field(CountsSerializer)
    def get_counts(self, batch: Batch) -> dict[str, int]:
        """Return the items by status."""
        return self._progress.counts

    def get_cost(self, batch: Batch) -> str | None:
        """Return what it has cost so far."""
        return _money(self._progress.cost)

    def get_expected_cost(self, batch: Batch) -> str | None:
        """Return what it will have cost."""
        return _money(self._progress.expected_cost)

    def get_seconds_left(self, batch: Batch) -> float | None:
        """Return how long the rest takes."""
        return self._progress.seconds_left


class ItemSerializer(serializers.ModelSerializer[Item]):
    """An item of a batch, with its status and data."""

    status = serializers.ChoiceField(Item.Status.choices)
    extraction = serializers.UUIDField(source="extraction_id", allow_null=True)
    data = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="The data, as corrected if a reviewer has corrected it."
    )
    problems = serializers.SerializerMethodField()
    error = Json(shape=Failure, allow_null=True)
    cost = serializers.SerializerMethodField(help_text="US dollars; null if a price is unknown.")

    class Meta:
        model = Item
        fields = ("key", "status", "extraction", "data", "problems", "error", "cost", "finished_at")

    @extend_schema_field(Json())
    def get_data(self, item: Item) -> object:
        """Return the data that counts."""
        return result_of(item).data

    @extend_schema_field(Json(shape=list[Problem]))
    def get_problems(self, item: Item) -> list[Problem]:
        """Return what is wrong with the data that was extracted."""
        return item.extraction.problems if item.extraction else []

    def get_cost(self, item: Item) -> str | None:
        """Return what it has cost."""
        return _money(item.cost)


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_string(amount)


class SettingsQuery(Query):
    """Settings of a batch whose body has none: of JSON lines."""

    schema = serializers.CharField(required=False, max_length=120, help_text="A schema's id, name or `name@version`.")
    mode = serializers.ChoiceField(Batch.Mode.choices, required=False)
    concurrency = Digits(min_value=1, max_value=CONCURRENCY_LIMIT, required=False)
    model = serializers.CharField(max_length=200, required=False)
    max_tokens = Digits(min_value=1, max_value=10_000_000, required=False)
    max_attempts = Digits(min_value=1, max_value=5, required=False)
    evidence = Flag(required=False)


class ItemsQuery(PageQuery):
    status = serializers.ChoiceField(Item.Status.choices, required=False)


class ResultsQuery(Query):
    format = serializers.ChoiceField(
        FORMATS, required=False, help_text="By default according to `Accept`, or JSON lines."
    )
    list = serializers.CharField(
        required=False,
        max_length=1000,
        help_text="For CSV: the column of a list of objects. The file then has one row per object instead of one "
        "per item.",
    )
