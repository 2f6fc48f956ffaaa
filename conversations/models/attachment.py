"""Images and documents, stored once by their hash."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from conversations.fields import uuid7
from conversations.models.access import IsOpen, OwnedQuerySet, Right
from conversations.models.conversation import Message


class AttachmentQuerySet(OwnedQuerySet["Attachment"]):
    """Attachments, which are readable by others than their owners."""

    def readable_by(self, user: Any) -> Self:
        """Return a user's attachments, and those in conversations and queued questions that the user may read."""
        from conversations.models.pending import PendingAttachment  # which imports this module

        shown = MessageAttachment.objects.filter(attachment=OuterRef("pk"))
        pending = PendingAttachment.objects.filter(attachment=OuterRef("pk"))
        return self.filter(
            Q(owner=user)
            | Exists(shown.filter(IsOpen("message__conversation__", user.pk, Right.READ)))
            | Exists(pending.filter(IsOpen("question__turn__conversation__", user.pk, Right.READ)))
        )


class Attachment(models.Model):
    """A user's image or document. The bytes are in the storage under their SHA-256, in no row."""

    OWNER = "owner"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="attachments")
    sha256 = models.CharField(max_length=64, db_index=True)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField(help_text="In bytes.")
    width = models.IntegerField(null=True, help_text="In pixels.")
    height = models.IntegerField(null=True, help_text="In pixels.")
    created_at = models.DateTimeField(db_default=Now(), editable=False, help_text="When it was uploaded last.")

    objects: ClassVar[AttachmentQuerySet] = AttachmentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint("owner", "sha256", name="one_attachment_per_user_and_hash"),)

    def __str__(self) -> str:
        return f"{self.media_type} {self.sha256[:12]}"

    @property
    def path(self) -> str:
        """Return the path of the bytes in the storage: the same for every user who has them."""
        return self.path_of(self.sha256)

    @staticmethod
    def path_of(sha256: str) -> str:
        """Return the path in the storage of the bytes with this hash."""
        return f"{sha256[:2]}/{sha256}"


class MessageAttachment(models.Model):
    """A message that shows an attachment, which belongs to the owner of the message's conversation."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="shown")
    attachment = models.ForeignKey(Attachment, on_delete=models.RESTRICT, related_name="shown_in")

    attachment_id: uuid.UUID

    class Meta:
        constraints = (models.UniqueConstraint("message", "attachment", name="shown_once"),)

    def __str__(self) -> str:
        return f"{self.attachment_id} in {self.message_id}"


class UnwantedFile(models.Model):
    """The bytes of a deleted attachment, until they are removed from the storage. A trigger adds the row."""

    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[models.Manager[UnwantedFile]] = models.Manager()

    def __str__(self) -> str:
        return self.sha256
