"""The ledger's daily sums, updated by the transaction that adds rows (migration 0003).

A trigger updates the sums for every booking, and nothing else writes to these tables. A correction counts on the day of
the corrected request. Days are in UTC.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from conversations.models.conversation import Conversation
from conversations.models.usage import Usage


class Daily(models.Model):
    """The sums of some ledger rows of a day."""

    day = models.DateField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    username = models.CharField(max_length=150, help_text="As the newest of the rows has it.")
    model = models.CharField(max_length=200)
    source = models.CharField(max_length=8, choices=Usage.Source)
    purpose = models.CharField(max_length=12, choices=Usage.Purpose)
    requests = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_5m_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=24, decimal_places=12, default=0, help_text="US dollars, where it is known.")
    unpriced = models.BigIntegerField(default=0, help_text="The requests whose cost is not known.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day}: {self.requests} requests of {self.username}"


class DailyUsage(Daily):
    """Daily sums by user, model, kind of request and outcome."""

    error_type = models.CharField(max_length=100, blank=True, help_text="Empty where there was no error.")
    slowest = models.DurationField(null=True, help_text="The longest of the requests.")

    objects: ClassVar[models.Manager[DailyUsage]] = models.Manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("day", "user", "model", "source", "purpose", "error_type"),
                name="daily_usage_once",
                nulls_distinct=False,
            ),
        )
        indexes = (
            models.Index(fields=("user", "day"), name="daily_usage_by_user"),
            models.Index("model", name="daily_usage_by_model"),
            models.Index("error_type", condition=~models.Q(error_type=""), name="daily_usage_by_error"),
        )


class DailyConversation(Daily):
    """Daily sums by conversation (or none), model and kind of request."""

    conversation = models.ForeignKey(
        Conversation, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    objects: ClassVar[models.Manager[DailyConversation]] = models.Manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("day", "conversation", "user", "model", "source", "purpose"),
                name="daily_conversation_once",
                nulls_distinct=False,
            ),
        )
        indexes = (
            models.Index(fields=("user", "day"), name="daily_conversation_by_user"),
            # With the cost, so that the most expensive conversations of a period are found in the index alone.
            models.Index(fields=("conversation", "day"), include=("cost",), name="daily_conversation_by_day"),
        )
