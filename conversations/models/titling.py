"""Work on conversations' titles."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from conversations.models.conversation import Conversation
from conversations.models.lease import Leased
from conversations.models.turn import Turn


class Titling(Leased):
    """The work of generating a conversation's title after its first turn, at most once per conversation."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"

    TERMINAL = frozenset({Status.COMPLETED, Status.FAILED})

    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="titling")
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="+")
    model = models.CharField(max_length=200)
    sent = models.BooleanField(default=False, help_text="Noted before Claude is asked.")

    objects: ClassVar[models.Manager[Titling]] = models.Manager()

    class Meta:
        indexes = (
            models.Index("holder", condition=models.Q(status="running"), name="titling_holder"),
            models.Index("created_at", condition=models.Q(status="queued"), name="titling_queue"),
        )

    def __str__(self) -> str:
        return f"Title of {self.conversation_id} ({self.status})"
