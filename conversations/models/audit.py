"""Checks of the ledger."""

from __future__ import annotations

from django.db import models

from conversations.fields import VerbatimJSONField, uuid7


class Audit(models.Model):
    """The result of a check: a line for each difference."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    problems = VerbatimJSONField(default=list)
    seconds = models.FloatField(help_text="How long it took.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = "check of the ledger"
        verbose_name_plural = "checks of the ledger"

    def __str__(self) -> str:
        return f"{len(self.problems)} problems" if self.problems else "the numbers agree"
