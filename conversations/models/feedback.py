"""Users' feedback on messages."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from conversations.fields import WrittenField, uuid7
from conversations.models.access import OwnedQuerySet
from conversations.models.conversation import Message


class Feedback(models.Model):
    """A user's rating of a message, a comment on it, or both."""

    OWNER = "user"

    class Rating(models.IntegerChoices):
        UP = 1
        DOWN = -1

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="feedback")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feedback")
    rating = models.SmallIntegerField(choices=Rating, null=True)
    comment = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = WrittenField()

    objects: ClassVar[OwnedQuerySet[Feedback]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-updated_at", "-id")
        verbose_name_plural = "feedback"
        constraints = (models.UniqueConstraint("message", "user", name="feedback_of_user"),)
        indexes = (models.Index(fields=("-updated_at", "-id"), name="feedback_by_update"),)

    def __str__(self) -> str:
        return f"{self.get_rating_display() or 'Comment'} on message {self.message_id}"
