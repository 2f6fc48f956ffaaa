"""Batches of extractions, their items, and their Message Batches."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from conversations.fields import ExactJSONField, VerbatimJSONField, uuid7
from conversations.models import Attachment, Idempotent, Leased, OwnedQuerySet
from extraction.models.attempt import Answer
from extraction.models.extraction import Extraction
from extraction.models.schema import SchemaVersion


class Batch(Idempotent):
    """Many extractions with one schema, run by any number of workers, or by Anthropic's Message Batches."""

    OWNER = "owner"

    class Status(models.TextChoices):
        RECEIVING = "receiving"
        RUNNING = "running"
        PAUSED = "paused"
        CANCELLED = "cancelled"
        ENDED = "ended"

    class Mode(models.TextChoices):
        LIVE = "live"
        BATCH = "batch"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="batches")
    schema = models.ForeignKey(SchemaVersion, on_delete=models.RESTRICT, related_name="batches")
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.LIVE)
    status = models.CharField(max_length=10, choices=Status, default=Status.RECEIVING)
    concurrency = models.PositiveSmallIntegerField(
        help_text="The number of items processed at the same time, over all workers."
    )
    model = models.CharField(max_length=200)
    max_tokens = models.PositiveIntegerField(
        null=True,
        help_text="The maximal length of each answer; null for a default that depends on the schema and the model.",
    )
    max_attempts = models.PositiveSmallIntegerField(default=2)
    wants_evidence = models.BooleanField(null=True, help_text="Null: where there is text.")
    metadata = ExactJSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, help_text="When the last item ended.")

    owner_id: uuid.UUID

    objects: ClassVar[OwnedQuerySet[Batch]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "batches"
        constraints = (models.UniqueConstraint("owner", "idempotency_key", name="one_batch_per_key"),)
        indexes = (
            models.Index(fields=("owner", "-id"), name="batch_by_owner"),
            models.Index("id", condition=models.Q(status="running"), name="batch_running"),
        )

    def __str__(self) -> str:
        return f"Batch {self.id} ({self.status})"


class Item(models.Model):
    """One of a batch's contents, with its state."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        INVALID = "invalid"
        REFUSED = "refused"
        TRUNCATED = "truncated"
        FAILED = "failed"
        CANCELLED = "cancelled"

    TERMINAL = frozenset(Status.values) - {Status.QUEUED, Status.RUNNING}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items", db_index=False)
    key = models.CharField(max_length=255)
    number = models.PositiveIntegerField(help_text="Its place in the batch, from 0.")
    content = VerbatimJSONField(help_text="Claude's content blocks; attachments stand for base64.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content.")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    extraction = models.OneToOneField(Extraction, null=True, on_delete=models.SET_NULL, related_name="item")
    error = VerbatimJSONField(null=True, help_text="Type and message of what made it fail.")
    cost = models.DecimalField(
        max_digits=20, decimal_places=12, null=True, default=Decimal(0), help_text="US dollars; null: not known."
    )
    sent = models.PositiveSmallIntegerField(default=0, help_text="How often a Message Batch gave no answer to it.")
    finished_at = models.DateTimeField(null=True)

    batch_id: uuid.UUID

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint("batch", "key", name="item_key_once"),
            models.UniqueConstraint("batch", "number", name="items_are_numbered"),
        )
        indexes = (
            models.Index(fields=("batch", "number"), condition=models.Q(status="queued"), name="item_queue"),
            models.Index(fields=("batch", "status"), name="item_by_status"),
            models.Index(fields=("batch", "-finished_at"), name="item_finished"),
        )

    def __str__(self) -> str:
        return f"{self.key} of {self.batch_id}"


class ItemSource(models.Model):
    """An attachment in an item's content, which is kept for it."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="sources")
    attachment = models.ForeignKey(Attachment, on_delete=models.RESTRICT, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint("item", "attachment", name="item_source_once"),)

    def __str__(self) -> str:
        return f"{self.attachment_id} of {self.item_id}"


class MessageBatch(Leased):
    """Requests that are sent to Anthropic together; a process holds them until it is known that they were accepted."""

    SENT = "sent"
    ENDED = "ended"
    LOST = "lost"
    TERMINAL = frozenset({ENDED, LOST})

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="message_batches")
    upstream_id = models.CharField(max_length=100, null=True, unique=True)  # noqa: DJ001 - null until it is known
    sent_at = models.DateTimeField(null=True, help_text="Just before it was sent.")

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "message batches"

    def __str__(self) -> str:
        return f"Message Batch {self.upstream_id or self.id} ({self.status})"


class UnwantedBatch(models.Model):
    """A Message Batch whose rows were deleted, until it is deleted at Anthropic. A trigger adds the row."""

    upstream_id = models.CharField(max_length=100, primary_key=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.upstream_id


class BatchedRequest(models.Model):
    """A request of a Message Batch; its custom id is the id of the row for its answer."""

    message_batch = models.ForeignKey(MessageBatch, on_delete=models.CASCADE, related_name="requests")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="batched")
    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, related_name="batched")

    def __str__(self) -> str:
        return f"{self.answer_id} in {self.message_batch_id}"
