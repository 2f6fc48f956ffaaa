"""Turns, and the journal of their transcripts."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import NullIf

from conversations.clock import from_now
from conversations.contract.wire import Block
from conversations.fields import VerbatimJSONField
from conversations.models.access import SharedQuerySet
from conversations.models.conversation import Conversation, Message
from conversations.models.idempotent import Idempotent
from conversations.models.lease import Leased

CONTINUED = frozenset({"max_tokens", "tool_use", "pause_turn"})
"""The stop reasons of answers that Claude can continue."""


class LostTurn(Exception):
    """The turn is no longer this process's: its lease ran out and another one settled it."""


class Turn(Idempotent, Leased):
    """A question of a user and everything that Claude does to answer it."""

    CONVERSATION = "conversation__"

    class Status(models.TextChoices):
        PENDING = "pending"
        """Not begun, since another turn of the conversation is active. Clients see `queued`."""
        QUEUED = "queued"
        RUNNING = "running"
        AWAITING_TOOLS = "awaiting_tools"
        COMPLETED = "completed"
        CANCELLED = "cancelled"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    ACTIVE = frozenset({Status.QUEUED, Status.RUNNING, Status.AWAITING_TOOLS})
    TERMINAL = frozenset({Status.COMPLETED, Status.CANCELLED, Status.FAILED, Status.INTERRUPTED})
    UNSUCCESSFUL = frozenset({Status.FAILED, Status.INTERRUPTED})

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="turns")
    user_message = models.ForeignKey(
        Message,
        null=True,
        on_delete=models.CASCADE,
        related_name="answers",
        help_text="The message that it answers; null until a pending turn begins.",
    )
    continues = models.ForeignKey(
        Message,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="The cut answer that this turn continues.",
    )
    model = models.CharField(max_length=200)
    settings = VerbatimJSONField(
        default=dict, help_text="The conversation's settings, with this turn's own in their place."
    )
    position = models.BigIntegerField(default=0, help_text="The position up to which the transcript is stored.")
    requests_sent = models.PositiveIntegerField(default=0, help_text="Upstream requests, noted before each is sent.")
    tool_results = VerbatimJSONField(
        default=list, help_text="Results of the client's tools that are here while others are still awaited."
    )
    awaiting_since = models.DateTimeField(null=True, help_text="When it began to wait for a client's tools.")
    stop_reason = models.CharField(max_length=100, null=True)  # noqa: DJ001 - null as in Claude's API
    stop_sequence = models.TextField(null=True)  # noqa: DJ001 - null as in Claude's API
    stop_details = VerbatimJSONField(null=True)
    error = VerbatimJSONField(null=True, help_text="Type and message of what made it fail.")
    first_delta_at = models.DateTimeField(null=True)
    has_queue = models.BooleanField(
        default=False, db_default=False, help_text="Whether turns may be pending that its end has to look for."
    )

    under_budget = False
    """Whether there were any budgets when it was begun here."""

    objects: ClassVar[SharedQuerySet[Turn]] = SharedQuerySet.as_manager()  # type: ignore[assignment]

    @classmethod
    def forgotten(cls) -> models.QuerySet[Turn]:
        """Return turns that have waited for their client's tool results for too long."""
        waits = cls.objects.filter(status=cls.Status.AWAITING_TOOLS)
        return waits.filter(awaiting_since__lt=from_now(-settings.COLLOQUY_TOOL_WAIT))

    @property
    def actions(self) -> list[str]:
        """Return what the user can do next (claude-api.md 3.2).

        continue: let Claude continue its answer. retry: request another answer (`regenerate`). tool_results: submit the
        awaited results. edit: change the question. An unknown stop reason counts as a complete answer.
        """
        if self.status == self.Status.AWAITING_TOOLS:
            return ["tool_results"]
        if not self.ended or self.user_message_id is None:
            return []
        whole = self.status == self.Status.COMPLETED and self.stop_reason not in CONTINUED
        return ["retry", "edit"] if whole else ["continue", "retry", "edit"]

    @property
    def question(self) -> Message:
        """Return the message that it answers; only for turns that have begun."""
        assert self.user_message is not None
        return self.user_message

    @property
    def answers_after(self) -> uuid.UUID | None:
        """Return the id of the message before the turn's messages; None if it has never begun."""
        return self.continues_id or self.user_message_id

    @property
    def queued_content(self) -> list[Block] | None:
        """Return the question of a turn that is pending, or was cancelled before it began."""
        pending = None if self.user_message_id else getattr(self, "pending_question", None)
        return pending.content if pending else None

    @property
    def to_be_admitted(self) -> bool:
        """Return whether it was pending, and its limits have not been checked since."""
        return hasattr(self, "pending_question")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                "conversation",
                condition=models.Q(status__in=["queued", "running", "awaiting_tools"]),
                name="one_active_turn",
            ),
            models.UniqueConstraint("user", "idempotency_key", name="one_turn_per_key"),
        )
        indexes = (
            models.Index("holder", condition=models.Q(status="running"), name="turn_holder"),
            models.Index("created_at", condition=models.Q(status="queued"), name="turn_queue"),
            models.Index("conversation", condition=models.Q(status="pending"), name="turn_pending"),
            models.Index(fields=("user", "-created_at"), name="turn_by_user"),
            models.Index(fields=("conversation", "-created_at", "-id"), name="turn_by_conversation"),
            models.Index("awaiting_since", condition=models.Q(status="awaiting_tools"), name="turn_wait"),
            models.Index(
                "finished_at", condition=models.Q(status__in=["failed", "interrupted"]), name="turn_unsuccessful"
            ),
        )

    def __str__(self) -> str:
        return f"Turn {self.id} ({self.status})"


class Piece(models.Model):
    """A contiguous part of a turn's transcript: its events from one position to another.

    A running turn has many; an ended one has one, which is kept as long as the turn.
    """

    pk = models.CompositePrimaryKey("turn_id", "start")
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    events = VerbatimJSONField()
    # The migration adds the foreign key (turn, previous) -> (turn, end): a piece begins where another one ends.
    previous = models.GeneratedField(
        expression=NullIf("start", 0), output_field=models.BigIntegerField(null=True), db_persist=True
    )

    turn_id: uuid.UUID

    class Meta:
        db_table = "conversations_journal"
        constraints = (
            models.UniqueConstraint("turn", "end", name="piece_ends_once"),
            models.CheckConstraint(
                condition=models.Q(start__gte=0, end__gt=models.F("start")), name="piece_goes_forward"
            ),
        )

    def __str__(self) -> str:
        return f"{self.turn_id} {self.start}-{self.end}"
