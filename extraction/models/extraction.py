"""Extractions, their sources, and their transcripts."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import NullIf

from conversations.clock import from_now
from conversations.fields import ExactJSONField, VerbatimJSONField
from conversations.models import Attachment, Idempotent, Leased, OwnedQuerySet, Usage
from conversations.models.conversation import ORIGIN_LENGTH
from conversations.models.lease import AT_ONCE
from extraction.models.schema import SchemaVersion


class LostExtraction(Exception):
    """The extraction is no longer this process's."""


class Extraction(Idempotent, Leased):
    """JSON that a schema describes, extracted from text, images or documents."""

    OWNER = "owner"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        INVALID = "invalid"
        REFUSED = "refused"
        TRUNCATED = "truncated"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Mode(models.TextChoices):
        LIVE = "live"
        BATCH = "batch"

    TERMINAL = frozenset(
        {Status.SUCCEEDED, Status.INVALID, Status.REFUSED, Status.TRUNCATED, Status.FAILED, Status.CANCELLED}
    )

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="extractions")
    schema = models.ForeignKey(SchemaVersion, on_delete=models.RESTRICT, related_name="extractions")
    content = VerbatimJSONField(help_text="Claude's content blocks; attachments stand for base64.")
    model = models.CharField(max_length=200)
    max_tokens = models.PositiveIntegerField(
        null=True,
        help_text="The maximal length of each answer; null for a default that depends on the schema and the model.",
    )
    max_attempts = models.PositiveSmallIntegerField(default=2)
    wants_evidence = models.BooleanField(default=True, help_text="Whether Claude is asked what each value rests on.")
    metadata = ExactJSONField(default=dict)
    mode = models.CharField(
        max_length=10, choices=Mode, default=Mode.LIVE, help_text="Batch: it is run when its batch has it run."
    )
    resumes = models.BooleanField(
        default=False, help_text="Whether it goes on at another process when its own is lost, instead of failing."
    )
    position = models.BigIntegerField(default=0, help_text="The position up to which the transcript is stored.")
    data = ExactJSONField(null=True)
    problems = VerbatimJSONField(default=list, help_text="What is wrong with the last attempt's data.")
    evidence = ExactJSONField(default=list, help_text="Where in the sources each value stands.")
    error = VerbatimJSONField(null=True, help_text="Type and message of what made it fail.")
    origin = models.CharField(  # noqa: DJ001 - null is 'none', and not unique
        max_length=ORIGIN_LENGTH,
        null=True,
        editable=False,
        help_text="What it was imported from: `<source>/<its id there>`. Null where it began here.",
    )

    owner_id: uuid.UUID

    objects: ClassVar[OwnedQuerySet[Extraction]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    @property
    def ledger_rows(self) -> list[Usage]:
        """Return the ledger rows of all its requests, corrections included."""
        return [row for attempt in self.attempts.all() for row in attempt.ledger_rows]

    @classmethod
    def waiting(cls, seconds: float) -> list[uuid.UUID]:
        """Return ids of live extractions that were queued for so many seconds, at most `AT_ONCE`."""
        queued = cls.objects.filter(status=cls.QUEUED, mode=cls.Mode.LIVE, created_at__lt=from_now(-seconds))
        return list(queued.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])

    def locked_as_ours(self) -> Extraction:
        """Return the present row, locked, within the caller's transaction.

        Raises LostExtraction where it does not run under this instance's fence any more.
        """
        mine = Extraction.objects.select_for_update(no_key=True, of=("self",)).select_related("owner", "schema")
        found = mine.filter(pk=self.pk, status=self.RUNNING, fence=self.fence).first()
        if found is None:
            raise LostExtraction
        return found

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint("owner", "idempotency_key", name="one_extraction_per_key"),
            models.UniqueConstraint("owner", "origin", name="extraction_imported_once"),
        )
        indexes = (
            models.Index("holder", condition=models.Q(status="running"), name="extraction_holder"),
            models.Index("created_at", condition=models.Q(status="queued", mode="live"), name="extraction_queue"),
            models.Index(fields=("owner", "status", "-id"), name="extraction_by_status"),
        )

    def __str__(self) -> str:
        return f"Extraction {self.id} ({self.status})"


class Source(models.Model):
    """An attachment in an extraction's content, which is kept for it."""

    extraction = models.ForeignKey(Extraction, on_delete=models.CASCADE, related_name="sources")
    attachment = models.ForeignKey(Attachment, on_delete=models.RESTRICT, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint("extraction", "attachment", name="source_once"),)

    def __str__(self) -> str:
        return f"{self.attachment_id} of {self.extraction_id}"


class SourceText(models.Model):
    """The text of a content block, as it was read from its file: the offsets of evidence refer to it."""

    extraction = models.ForeignKey(Extraction, on_delete=models.CASCADE, related_name="source_texts")
    index = models.PositiveIntegerField(help_text="Of the content block.")
    kind = models.CharField(max_length=10)
    text = models.TextField(null=True)  # noqa: DJ001 - null where only Claude sees what is there
    pages = VerbatimJSONField(default=list, help_text="The offset at which each page begins.")
    title = models.TextField(null=True)  # noqa: DJ001 - null where it is not known

    class Meta:
        ordering = ("index",)
        constraints = (models.UniqueConstraint("extraction", "index", name="source_text_once"),)

    def __str__(self) -> str:
        return f"Text of block {self.index} of {self.extraction_id}"


class ExtractionPiece(models.Model):
    """A contiguous part of an extraction's transcript: its events from one position to another.

    A running extraction has many; an ended one has one, which is kept as long as the extraction.
    """

    pk = models.CompositePrimaryKey("extraction_id", "start")
    extraction = models.ForeignKey(Extraction, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    events = ExactJSONField()
    # The migration adds the foreign key (extraction, previous) -> (extraction, end).
    previous = models.GeneratedField(
        expression=NullIf("start", 0), output_field=models.BigIntegerField(null=True), db_persist=True
    )

    extraction_id: uuid.UUID

    class Meta:
        db_table = "extraction_journal"
        constraints = (
            models.UniqueConstraint("extraction", "end", name="extraction_piece_ends_once"),
            models.CheckConstraint(
                condition=models.Q(start__gte=0, end__gt=models.F("start")), name="extraction_piece_goes_forward"
            ),
        )

    def __str__(self) -> str:
        return f"{self.extraction_id} {self.start}-{self.end}"
