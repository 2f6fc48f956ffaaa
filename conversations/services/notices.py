"""News for other processes, sent when the transaction commits and lost with it when it does not."""

from __future__ import annotations

import uuid

from django.db import connection

from conversations.streaming.wakes import CHANNEL, notification_payload


def notify(kind: str, *ids: uuid.UUID) -> None:
    """Notify all processes that there is news of this kind about these ids."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, notification_payload(kind, *ids)])
