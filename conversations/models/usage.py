"""The ledger.

Postgres refuses to delete or change rows (migration 0003), except for replacing the name of a deleted user by a
pseudonym. So there are no foreign keys: rows keep the ids of objects that are deleted later. New columns get defaults
in the database, since processes of the previous release book during a deploy.
"""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from conversations.claude import pricing
from conversations.fields import VerbatimJSONField, uuid7
from conversations.models.access import OwnedQuerySet
from conversations.models.conversation import Conversation
from conversations.models.price import Price
from conversations.models.turn import Turn


class Usage(models.Model):
    """The usage and cost of one upstream request. Rows are append-only, and outlive the objects that they refer to.

    A wrong row is cancelled by another one with negative numbers: sums over rows are right, counts of rows are not.
    """

    OWNER = "user"

    class Source(models.TextChoices):
        PROVIDER = "provider"
        ESTIMATE = "estimate"

    class Purpose(models.TextChoices):
        TURN = "turn"
        EXTRACTION = "extraction"
        TITLE = "title"
        TOOL = "tool"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The indexes below begin with them.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="usage",
    )
    username = models.CharField(max_length=150)
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.TURN)
    conversation = models.ForeignKey(
        Conversation,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="usage",
    )
    turn = models.ForeignKey(Turn, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="usage")
    model = models.CharField(max_length=200)
    requests = models.SmallIntegerField(
        default=1,
        db_default=1,
        help_text="1, or -1 in a row that cancels another one; its other numbers are negative too.",
    )
    corrects = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="corrections",
        help_text="The first row of the request that this row corrects.",
    )
    reason = models.TextField(blank=True, default="", db_default="", help_text="The reason for the correction.")
    request_id = models.CharField(max_length=100, blank=True, default="", help_text="The request's id at Claude's API.")
    input_tokens = models.BigIntegerField(
        default=0, help_text="Input tokens that were neither read from the cache nor written to it."
    )
    output_tokens = models.BigIntegerField(default=0, help_text="Output tokens as they are billed, including thinking.")
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_5m_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    thinking_tokens = models.BigIntegerField(default=0, help_text="Included in the output tokens.")
    web_search_requests = models.BigIntegerField(default=0)
    web_fetch_requests = models.BigIntegerField(default=0, db_default=0)
    service_tier = models.CharField(
        max_length=pricing.WORD, blank=True, default="", db_default="", help_text="Empty if Claude reported none."
    )
    speed = models.CharField(max_length=pricing.WORD, default="standard", db_default="standard")
    inference_geo = models.CharField(
        max_length=pricing.WORD,
        blank=True,
        default="",
        db_default="",
        help_text="The region in which Claude ran, as Claude reports it.",
    )
    batch = models.BooleanField(default=False, db_default=False)
    raw = VerbatimJSONField(default=dict, help_text="Claude's usage object as it came.")
    source = models.CharField(max_length=8, choices=Source)
    cost = models.DecimalField(
        max_digits=20, decimal_places=12, null=True, help_text="US dollars; null where the model's price is not known."
    )
    prices = VerbatimJSONField(
        default=dict,
        help_text="US dollars per million tokens of each class, what multiplied them, and whose they are.",
    )
    override = models.ForeignKey(
        Price,
        null=True,
        on_delete=models.PROTECT,
        related_name="usage",
        help_text="The platform's own price, where one was applied.",
    )
    stop_reason = models.CharField(max_length=100, null=True)  # noqa: DJ001 - null as in Claude's API
    error_type = models.CharField(max_length=100, blank=True, default="")
    duration = models.DurationField(null=True, help_text="From sending the request to the end of its stream.")
    time_to_first_delta = models.DurationField(null=True)
    created_at = models.DateTimeField(
        db_default=Now(),
        editable=False,
        help_text="When the request was made. The row's id contains the time of booking.",
    )

    objects: ClassVar[OwnedQuerySet[Usage]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "usage"
        indexes = (
            models.Index(fields=("user", "-created_at"), name="usage_by_user"),
            models.Index(fields=("-created_at",), name="usage_by_time"),
            models.Index(fields=("conversation", "created_at"), name="usage_by_conversation"),
            models.Index("request_id", condition=~models.Q(request_id=""), name="usage_by_request"),
            models.Index("created_at", condition=~models.Q(error_type=""), name="usage_failed"),
        )

    def __str__(self) -> str:
        return f"{self.model}: {self.input_tokens} in, {self.output_tokens} out"

    @property
    def counted(self) -> Decimal:
        """Return the US dollars that count against budgets: COLLOQUY_FALLBACK_PRICE where the price is unknown."""
        if self.cost is not None:
            return self.cost
        counts = {each.name: abs(getattr(self, each.name)) for each in fields(pricing.TokenCounts)}
        return pricing.fallback_price(pricing.TokenCounts(**counts)).cost * self.requests
