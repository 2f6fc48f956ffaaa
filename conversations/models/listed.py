"""What the Models API said the last time that it was asked."""

from __future__ import annotations

from django.db import models

from conversations.fields import VerbatimJSONField


class ListedModel(models.Model):
    """A model, as the Models API lists it."""

    id = models.CharField(max_length=200, primary_key=True)
    row = VerbatimJSONField(help_text="As it came.")
    refreshed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.id
