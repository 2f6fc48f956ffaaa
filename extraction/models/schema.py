"""JSON Schemas of extractions."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from conversations.fields import ExactJSONField, VerbatimJSONField, uuid7
from conversations.models import OwnedQuerySet


class SchemaVersion(models.Model):
    """A JSON Schema of a user, with instructions and examples for Claude.

    Its contents never change. One that came with an extraction has no name; equal schemas of a user are stored once.
    """

    OWNER = "owner"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="schema_versions")
    name = models.CharField(max_length=100, null=True)  # noqa: DJ001 - null is 'no name', and not unique
    version = models.PositiveIntegerField(default=1)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what it asks for.")
    json_schema = ExactJSONField()
    instructions = models.TextField(
        blank=True, default="", help_text="Instructions for Claude in addition to the schema."
    )
    examples = ExactJSONField(default=list, help_text="Example content, and the correct data for it.")
    native = models.BooleanField(
        default=False, help_text="Whether structured outputs can enforce the whole schema in one request."
    )
    notes = VerbatimJSONField(default=list, help_text="What structured outputs cannot enforce, and we check.")
    refused_by = VerbatimJSONField(default=list, help_text="The models that refused to be held to it.")
    hidden = models.BooleanField(default=False, help_text="Whether lists leave it out.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    owner_id: uuid.UUID

    objects: ClassVar[OwnedQuerySet[SchemaVersion]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "schema"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint("owner", "name", "version", name="schema_versions_are_numbered"),
            models.UniqueConstraint(
                "owner", "digest", condition=models.Q(name__isnull=True), name="nameless_schema_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.name else f"Schema {self.id}"
