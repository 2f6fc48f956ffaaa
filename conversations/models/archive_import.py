"""Imports of uploaded archives."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from conversations.fields import VerbatimJSONField
from conversations.models.access import OwnedQuerySet
from conversations.models.lease import Leased


class LostImport(Exception):
    """The import is no longer this process's, or was cancelled or deleted meanwhile."""


class ArchiveImport(Leased):
    """The work of importing an archive, which is in the storage until the import has ended."""

    OWNER = "owner"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Source(models.TextChoices):
        COLLOQUY = "colloquy"
        CLAUDE_AI = "claude.ai"
        CHATGPT = "chatgpt"

    TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="imports")
    source = models.CharField(max_length=10, choices=Source)
    size = models.BigIntegerField(help_text="The size of the archive in bytes.")
    total = models.PositiveIntegerField(default=0, help_text="The number of entries; 0 until they are counted.")
    done = models.PositiveIntegerField(default=0, help_text="The number of processed entries.")
    conversations = models.PositiveIntegerField(
        default=0, help_text="The number of conversations that were created, or got new messages."
    )
    messages = models.PositiveIntegerField(default=0, help_text="The number of created objects.")
    extractions = models.PositiveIntegerField(default=0, help_text="The number of created objects.")
    skipped = models.PositiveIntegerField(
        default=0, help_text="The number of entries that were completely imported before."
    )
    failed = models.PositiveIntegerField(default=0, help_text="The number of entries that could not be imported.")
    problems = VerbatimJSONField(default=list, help_text="What was left out, and why; only the first of them.")

    owner_id: uuid.UUID

    objects: ClassVar[OwnedQuerySet[ArchiveImport]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "import"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("owner", "-id"), name="import_by_owner"),
            models.Index("created_at", condition=models.Q(status__in=["queued", "running"]), name="import_unended"),
        )

    def __str__(self) -> str:
        return f"Import {self.id} ({self.status})"

    @property
    def path(self) -> str:
        """Return the path of the archive in the storage."""
        return f"{FOLDER}/{self.pk}"


FOLDER = "imports"
"""The archives' folder in the storage."""
