from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from conversations.fields import uuid7


class User(AbstractUser):
    """Django's user with a UUIDv7 key."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
