"""Questions of pending turns, before they become messages."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from conversations.fields import VerbatimJSONField
from conversations.models.attachment import Attachment
from conversations.models.turn import Turn


class PendingQuestion(models.Model):
    """The question of a pending turn, and its place in the queue.

    It becomes a message when the turn begins, since its parent is known only then. If the turn is cancelled before, it
    stays.
    """

    turn = models.OneToOneField(Turn, on_delete=models.CASCADE, primary_key=True, related_name="pending_question")
    content = VerbatimJSONField(null=True, help_text="Null where a message that is there already is answered anew.")
    parent_id = models.UUIDField(null=True, help_text="The message after which it was asked for, if it named one.")
    at_leaf = models.BooleanField(help_text="Whether it comes after whatever the active leaf is by then.")
    interrupts = models.BooleanField(help_text="Whether it comes before those that only wait.")

    turn_id: uuid.UUID

    objects: ClassVar[models.Manager[PendingQuestion]] = models.Manager()

    def __str__(self) -> str:
        return f"Question of {self.turn_id}"


class PendingAttachment(models.Model):
    """An attachment in a pending question, which is kept for it."""

    question = models.ForeignKey(PendingQuestion, on_delete=models.CASCADE, related_name="shown")
    attachment = models.ForeignKey(Attachment, on_delete=models.RESTRICT, related_name="+")

    attachment_id: uuid.UUID

    objects: ClassVar[models.Manager[PendingAttachment]] = models.Manager()

    class Meta:
        constraints = (models.UniqueConstraint("question", "attachment", name="pending_once"),)

    def __str__(self) -> str:
        return f"{self.attachment_id} of {self.question_id}"
