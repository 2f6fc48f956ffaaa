from __future__ import annotations

from django.conf import settings
from django.db import models


class Ticket(models.Model):
    """A one-time ticket to open a WebSocket, for browsers, which can't send an Authorization header. Stored hashed."""

    digest = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=128, blank=True, default="", help_text="The digest of the token it came from.")
    session = models.CharField(max_length=40, blank=True, default="", help_text="The key of the session it came from.")
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Ticket of {self.user_id}"
