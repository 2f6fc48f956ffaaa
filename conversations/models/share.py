"""Shares of conversations with users and groups."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models.functions import Now

from conversations.fields import uuid7
from conversations.models.access import KeyedQuerySet
from conversations.models.conversation import Conversation


class Share(models.Model):
    """Gives a user, or all members of a group, access to another user's conversation."""

    class Role(models.TextChoices):
        READER = "reader"
        WRITER = "writer"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="shared_with_them"
    )
    group = models.ForeignKey(Group, null=True, on_delete=models.CASCADE, related_name="shared_with_them")
    role = models.CharField(max_length=6, choices=Role)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    conversation_id: uuid.UUID

    objects: ClassVar[KeyedQuerySet[Share]] = KeyedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint("conversation", "user", name="shared_once_with_user"),
            models.UniqueConstraint("conversation", "group", name="shared_once_with_group"),
            models.CheckConstraint(
                condition=models.Q(user__isnull=True, group__isnull=False)
                | models.Q(user__isnull=False, group__isnull=True),
                name="shared_with_a_user_or_a_group",
            ),
        )

    def __str__(self) -> str:
        return f"{self.role} of {self.conversation_id}: {self.user or self.group}"
