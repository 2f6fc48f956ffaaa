"""Saved filters of the usage review."""

from __future__ import annotations

import secrets
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from conversations.fields import uuid7

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""The characters of keys: without those that are easily confused."""
KEY = 8


def new_key() -> str:
    """Return a random key for a short URL."""
    return "".join(secrets.choice(LETTERS) for _ in range(KEY))


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    """Saved filters with their visibility."""

    def visible_to(self, user: models.Model) -> SavedFilterQuerySet:
        """Return a user's own filters, and shared ones."""
        return self.filter(models.Q(owner=user) | models.Q(shared=True))


class SavedFilter(models.Model):
    """A review page with a period and filters, under a name."""

    class Page(models.TextChoices):
        DASHBOARD = "dashboard"
        REVIEW = "review"
        CHANGES = "changes", "what changed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=KEY, unique=True, default=new_key, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=80)
    shared = models.BooleanField(default=False, help_text="Whether all who may see the usage can choose it.")
    page = models.CharField(max_length=10, choices=Page)
    period = models.CharField(
        max_length=12, blank=True, help_text="A period that moves on with time; empty where the query has its days."
    )
    query = models.TextField(blank=True, help_text="The filters as the parameters of the page's address.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    owner_id: uuid.UUID

    objects: ClassVar[models.Manager[SavedFilter]] = SavedFilterQuerySet.as_manager()

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("owner", "name"), name="saved_filter_by_name"),)

    def __str__(self) -> str:
        return self.name
