"""Deleting conversations whose retention is over: temporary ones, and those beyond a rule."""

from __future__ import annotations

import logging
import uuid

from django.conf import settings
from django.db import connection

from conversations.database import Parameters
from conversations.models import Deletion, Turn
from conversations.services.deletion import deletion, deletion_reports

logger = logging.getLogger(__name__)

TEMPORARY_HOURS = 24
AT_ONCE = 100  # conversations that are looked for in one statement

# Imported conversations count from their import on, however old they are. Without a rule, conversations are kept until
# they have been unused for COLLOQUY_KEEP_DAYS.
DUE = """
SELECT conversation.id
FROM conversations_conversation AS conversation
LEFT JOIN conversations_retention AS own ON own.user_id = conversation.owner_id
CROSS JOIN LATERAL (
    SELECT count(*) AS rules, min(rule.days) AS days
    FROM conversations_retention AS rule
    JOIN conversations_user_groups AS member ON member.group_id = rule.group_id
    WHERE member.user_id = conversation.owner_id
) AS of_groups
CROSS JOIN LATERAL (
    SELECT coalesce(
            max(coalesce(finished_at, created_at)), greatest(conversation.created_at, conversation.imported_at)
        ) AS at,
        coalesce(bool_or(status <> ALL(%(terminal)s)), false) AS runs
    FROM conversations_turn WHERE conversation_id = conversation.id
) AS last_turn
WHERE {which} AND NOT last_turn.runs AND (
    conversation.temporary AND last_turn.at < now() - make_interval(hours => %(hours)s)
    OR CASE
        WHEN own.id IS NOT NULL THEN last_turn.at < now() - own.days * interval '1 day'
        WHEN of_groups.rules > 0 THEN last_turn.at < now() - of_groups.days * interval '1 day'
        ELSE greatest(conversation.updated_at, conversation.imported_at) < now() - %(days)s::float * interval '1 day'
    END
)
ORDER BY conversation.id LIMIT %(limit)s
"""
ALL = "conversation.id > %(id)s"
TEMPORARY = "conversation.temporary AND conversation.id > %(id)s"
ONE = "conversation.id = %(id)s"
BEFORE_ALL = uuid.UUID(int=0)


def remove_expired(*, temporary_only: bool = False) -> Deletion | None:
    """Delete expired conversations, each in a transaction of its own; return the report, if any were deleted.

    A conversation that can't be deleted is logged, and does not block the others.
    """
    report = Deletion(kind=Deletion.Kind.EXPIRED, cause=Deletion.Cause.RETENTION)
    last = BEFORE_ALL
    while ids := _due(TEMPORARY if temporary_only else ALL, last):
        for id in ids:
            try:
                deletion.erase_conversation(id, report, is_due)
            except Exception:  # the others are deleted all the same
                logger.exception("Conversation %s could not be deleted", id)
        last = ids[-1]
    if not report.erased:
        return None
    deletion_reports.finish(report)
    return report


def is_due(id: uuid.UUID) -> bool:
    """Return whether a conversation is expired at present."""
    return bool(_due(ONE, id))


def _due(which: str, id: uuid.UUID) -> list[uuid.UUID]:
    values: Parameters = {
        "id": id,
        "limit": AT_ONCE,
        "hours": TEMPORARY_HOURS,
        "days": settings.COLLOQUY_KEEP_DAYS or None,
        "terminal": list(Turn.TERMINAL),
    }
    with connection.cursor() as cursor:
        cursor.execute(DUE.format(which=which), values)
        return [row[0] for row in cursor]
