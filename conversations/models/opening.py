"""The access log: which staff users have opened whose data."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from conversations.fields import uuid7
from conversations.models.access import OwnedQuerySet


class Opening(models.Model):
    """A record that a staff user has opened another user's conversation, or a part of it.

    Rows are append-only (by the migration's trigger). They are deleted with the owner, to whom they are shown, and
    outlive the staff user.
    """

    OWNER = "owner"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="opened")
    staff = models.CharField(max_length=150, help_text="The user name.")
    kind = models.CharField(max_length=50)
    object = models.CharField(max_length=64, help_text="The id of the opened object.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[OwnedQuerySet[Opening]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        verbose_name = "access by staff"
        verbose_name_plural = "accesses by staff"
        indexes = (models.Index(fields=("owner", "-id"), name="opening_by_owner"),)

    def __str__(self) -> str:
        return f"{self.staff} opened {self.kind} {self.object}"
