from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class FailedLogin(models.Model):
    """A failed login, which counts for a while against its name and its address."""

    name = models.CharField(max_length=64, help_text="A digest of the name: people type their passwords there, too.")
    address = models.CharField(max_length=45, help_text="Of an IPv6 address its network.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (
            models.Index("name", "created_at", name="failed_login_by_name"),
            models.Index("address", "created_at", name="failed_login_by_address"),
        )

    def __str__(self) -> str:
        return f"Failed login from {self.address}"
