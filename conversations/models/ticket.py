from __future__ import annotations

from django.conf import settings
from django.db import models


class Ticket(models.Model):
    """A one-time pass to open a WebSocket, for browsers, which can't send an Authorization header. Kept hashed."""

    digest = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Ticket of {self.user_id}"
