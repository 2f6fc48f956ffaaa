from __future__ import annotations

from django.db import models

from conversations.fields import uuid7


class Process(models.Model):
    """A process that runs turns. Its one lease is the lease on everything that it holds.

    One narrow row to renew, instead of every turn's: renewing those would get in the way of the journal, which updates
    them many times a second.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    leased_until = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Process {self.id}"
