"""Rows that an idempotency key creates only once."""

from __future__ import annotations

from typing import Self

from django.db import models

from conversations.errors import IdempotencyMismatch


class Idempotent(models.Model):
    """A row that may have an idempotency key, which its owner can use for no other request.

    Such a model has a unique constraint on its owner and the key.
    """

    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001 - null is 'no key', and not unique
    request_digest = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 of what was asked.")

    class Meta:
        abstract = True

    def asked_for_by(self, digest: str) -> Self:
        """Return the row for a request with its key. Raise IdempotencyMismatch if another request created it."""
        if self.request_digest != digest:
            message = "This idempotency key was used before with a different request: use a new key for a new request."
            raise IdempotencyMismatch(message, details={str(self._meta.model_name): str(self.pk)})
        return self
