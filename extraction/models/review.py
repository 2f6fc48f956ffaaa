"""Reviews of extracted data."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from conversations.fields import ExactJSONField, uuid7
from extraction.models.extraction import Extraction


class Review(models.Model):
    """A decision on an extraction's data. The newest counts; the extracted data is kept beside it."""

    class Decision(models.TextChoices):
        APPROVED = "approved"
        REJECTED = "rejected"
        CORRECTED = "corrected"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    extraction = models.ForeignKey(Extraction, on_delete=models.CASCADE, related_name="reviews")
    decision = models.CharField(max_length=10, choices=Decision)
    data = ExactJSONField(null=True, help_text="The corrected data, where it was corrected.")
    comment = models.TextField(blank=True, default="")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="extraction_reviews"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.decision}: {self.extraction_id}"
