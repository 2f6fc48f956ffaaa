"""Notifications of other processes, sent when the transaction commits."""

from __future__ import annotations

import uuid

from django.db import connection

from conversations.streaming.wakes import CHANNEL, notification_payload


def notify(kind: str, *ids: uuid.UUID) -> None:
    """Notify all processes that there is something new of this kind about these ids."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, notification_payload(kind, *ids)])
