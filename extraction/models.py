"""Extractions and their attempts."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from conversations.fields import ExactJSONField, VerbatimJSONField, uuid7
from conversations.models import Attachment, Idempotent, Leased, OwnedQuerySet, Usage


class Extraction(Idempotent, Leased):
    """JSON that a schema describes, taken out of a text, images or documents."""

    OWNER = "owner"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        INVALID = "invalid"
        REFUSED = "refused"
        TRUNCATED = "truncated"
        FAILED = "failed"

    TERMINAL = frozenset({Status.SUCCEEDED, Status.INVALID, Status.REFUSED, Status.TRUNCATED, Status.FAILED})

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="extractions")
    schema = VerbatimJSONField()
    content = VerbatimJSONField(help_text="Claude's content blocks; attachments stand for base64.")
    model = models.CharField(max_length=200)
    max_tokens = models.PositiveIntegerField(null=True, help_text="Of each answer; null: as the model and we have it.")
    max_attempts = models.PositiveSmallIntegerField(default=2)
    data = ExactJSONField(null=True)
    problems = VerbatimJSONField(default=list, help_text="What is wrong with the last attempt's data.")
    error = VerbatimJSONField(null=True, help_text="Type and message of what made it fail.")

    objects: ClassVar[OwnedQuerySet[Extraction]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint("owner", "idempotency_key", name="one_extraction_per_key"),)
        indexes = (
            models.Index("holder", condition=models.Q(status="running"), name="extraction_holder"),
            models.Index("created_at", condition=models.Q(status="queued"), name="extraction_queue"),
        )

    def __str__(self) -> str:
        return f"Extraction {self.id} ({self.status})"


class Source(models.Model):
    """An attachment that an extraction is made from, and so is kept."""

    extraction = models.ForeignKey(Extraction, on_delete=models.CASCADE, related_name="sources")
    attachment = models.ForeignKey(Attachment, on_delete=models.RESTRICT, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint("extraction", "attachment", name="source_once"),)

    def __str__(self) -> str:
        return f"{self.attachment_id} of {self.extraction_id}"


class Attempt(models.Model):
    """One request to Claude for an extraction, and what it answered; kept before it is looked at."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    extraction = models.ForeignKey(Extraction, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    native = models.BooleanField(help_text="Whether Claude was held to the schema, or only asked to keep to it.")
    content = VerbatimJSONField()
    stop_reason = models.CharField(max_length=100, null=True)  # noqa: DJ001 - null as in Claude's API
    problems = VerbatimJSONField(default=list)
    usage = models.OneToOneField(Usage, null=True, on_delete=models.SET_NULL, related_name="attempt")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint("extraction", "number", name="attempts_are_numbered"),)

    def __str__(self) -> str:
        return f"Attempt {self.number} of {self.extraction_id}"
