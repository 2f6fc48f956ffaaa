from __future__ import annotations

import uuid

import psycopg
from django.conf import settings
from django.db import models

from conversations.fields import uuid7

RENEW = """
INSERT INTO conversations_process (id, leased_until, started_at)
VALUES (%(id)s, now() + make_interval(secs => %(seconds)s), now())
ON CONFLICT (id) DO UPDATE SET leased_until = EXCLUDED.leased_until
"""


class Process(models.Model):
    """A process that runs turns. Its single lease covers all work that it holds.

    Renewing one narrow row, instead of every turn's, avoids conflicts with the journal, which updates turns many times
    a second.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    leased_until = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Process {self.id}"

    @staticmethod
    async def renew(connection: psycopg.AsyncConnection[object], id: uuid.UUID) -> None:
        """Extend a process's lease by `COLLOQUY_LEASE` seconds from now, by the database's clock."""
        await connection.execute(RENEW, {"id": id, "seconds": settings.COLLOQUY_LEASE})
