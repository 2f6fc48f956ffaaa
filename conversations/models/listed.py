"""The last list of the Models API."""

from __future__ import annotations

from django.db import models

from conversations.fields import VerbatimJSONField


class ListedModel(models.Model):
    """A model in the list of the Models API."""

    id = models.CharField(max_length=200, primary_key=True)
    row = VerbatimJSONField(help_text="As it came.")
    refreshed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.id
