"""Reports of deletions, and rules of retention."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now

from conversations.fields import VerbatimJSONField, uuid7
from conversations.models.access import OwnedQuerySet


class Deletion(models.Model):
    """A report of deleted objects, by kind and count, without contents. It outlives the user."""

    OWNER = "owner"

    class Kind(models.TextChoices):
        ACCOUNT = "account"
        CONVERSATION = "conversation"
        EXTRACTION = "extraction"
        EXPIRED = "expired", "expired conversations"

    class Cause(models.TextChoices):
        OWNER = "owner"
        STAFF = "staff"
        COMMAND = "command"
        RETENTION = "retention"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="deletions",
        help_text="Null where they are gone, or where it was many users'.",
    )
    pseudonym = models.CharField(max_length=32, blank=True, default="", help_text="What the ledger calls the owner.")
    kind = models.CharField(max_length=12, choices=Kind)
    cause = models.CharField(max_length=9, choices=Cause, help_text="Who or what caused the deletion.")
    erased = VerbatimJSONField(default=dict, help_text="The number of deleted objects of each kind.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, help_text="Null until everything is deleted.")

    objects: ClassVar[OwnedQuerySet[Deletion]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("owner", "-id"), name="deletion_by_owner"),
            models.Index("id", condition=models.Q(finished_at=None), name="deletion_unfinished"),
        )

    def __str__(self) -> str:
        return f"Deletion of {self.get_kind_display()}"


class Retention(models.Model):
    """The time for which conversations of a user, or of a group's members, are kept after their last turn.

    A user's own rule comes before those of their groups, of which the shortest applies, and these before
    COLLOQUY_KEEP_DAYS.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="retention"
    )
    group = models.OneToOneField(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="retention")
    days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Days after a conversation's last turn. Empty: for ever.",
    )

    objects: ClassVar[models.Manager[Retention]] = models.Manager()

    class Meta:
        verbose_name = verbose_name_plural = "retention"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(group__isnull=True),
                name="retention_of_one",
                violation_error_message="Choose a user or a group, and not both.",
            ),
        )

    def __str__(self) -> str:
        kept = "for ever" if self.days is None else f"for {self.days} days"
        return f"Conversations of {self.user or self.group} are kept {kept}"
