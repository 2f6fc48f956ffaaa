"""Evaluations: the same contents extracted in several ways, and compared with expected data."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from conversations.fields import ExactJSONField, VerbatimJSONField, uuid7
from conversations.models import OwnedQuerySet
from extraction.models.batch import Batch


class Evaluation(models.Model):
    """Contents with known data, and the runs that are compared."""

    OWNER = "owner"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="evaluations")
    differences = ExactJSONField(null=True, help_text="Where a run is not right; null until all have ended.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    owner_id: uuid.UUID

    objects: ClassVar[OwnedQuerySet[Evaluation]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"Evaluation {self.id}"


class EvaluationItem(models.Model):
    """The expected data of one content, which is compared with the runs' items of the same key."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="items")
    number = models.PositiveIntegerField(help_text="From 0.")
    key = models.CharField(max_length=255)
    expected = ExactJSONField()

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint("evaluation", "number", name="evaluation_items_are_numbered"),
            models.UniqueConstraint("evaluation", "key", name="evaluation_key_once"),
        )

    def __str__(self) -> str:
        return f"{self.key} of {self.evaluation_id}"


class EvaluationRun(models.Model):
    """One way of extracting the contents: a batch of them, and its scores once it has ended."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="runs")
    number = models.PositiveSmallIntegerField(help_text="From 0.")
    batch = models.OneToOneField(Batch, on_delete=models.CASCADE, related_name="run")
    scores = VerbatimJSONField(null=True, help_text="Null until its batch has ended.")

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint("evaluation", "number", name="evaluation_runs_are_numbered"),)

    def __str__(self) -> str:
        return f"Run {self.number} of {self.evaluation_id}"
