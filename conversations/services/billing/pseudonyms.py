"""Pseudonyms of users whose names are not kept."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable

from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import Q
from django.utils.crypto import salted_hmac

from conversations.database import Parameters
from conversations.models import DailyConversation, DailyUsage, Opening, Usage
from conversations.services.accounts import login_failures

LENGTH = 32  # hexadecimal digits, which migration 0003 lets stand in the place of a name
OBJECT_LENGTH = 200  # characters, as the admin's log has it
AT_ONCE = 1000  # rows of the ledger that are changed in one transaction

LEDGER = f"""
UPDATE {{table}} SET username = %(pseudonym)s WHERE id IN (
    SELECT id FROM {{table}} WHERE user_id = %(user)s AND username <> %(pseudonym)s LIMIT {AT_ONCE}
)
"""  # noqa: S608 - ours


def pseudonym_of(user: uuid.UUID) -> str:
    """Return the pseudonym of a user id: always the same, and not computable without the secret key."""
    return salted_hmac("conversations.usage.username", str(user), algorithm="sha256").hexdigest()[:LENGTH]


def forget_names(*, user: uuid.UUID, names: Iterable[str]) -> None:
    """Replace a user's name and email by the pseudonym in the logs, which identify users by name.

    `names` are names that no user has any more. Within the caller's transaction.
    """
    pseudonym, given = pseudonym_of(user), [name for name in names if name]
    for name in given:
        Opening.objects.filter(staff=name).update(staff=pseudonym)
        login_failures.forget_name(name)
        _forget_in_admin_log(name, pseudonym)


def _forget_in_admin_log(name: str, pseudonym: str) -> None:
    """Replace a name by a pseudonym in the admin's log, wherever it is a word of its own."""
    alone = re.compile(rf"(?<![\w.@+-]){re.escape(name)}(?![\w.@+-])")
    written = Q(object_repr__contains=name) | Q(change_message__contains=name)
    for entry in LogEntry.objects.filter(written | Q(change_message__contains=json.dumps(name)[1:-1])):
        entry.object_repr = alone.sub(pseudonym, entry.object_repr)[:OBJECT_LENGTH]
        entry.change_message = _without_name(entry.change_message, alone, pseudonym)
        entry.save(update_fields=["object_repr", "change_message"])


def _without_name(message: str, alone: re.Pattern[str], pseudonym: str) -> str:
    """Return the message of a log entry without a name. Django's messages are JSON, with the name under `object`."""
    try:
        parts = json.loads(message)
    except ValueError:
        parts = None
    if not isinstance(parts, list):
        return alone.sub(pseudonym, message)
    told = [each for part in parts if isinstance(part, dict) for each in part.values() if isinstance(each, dict)]
    for each in told:
        if "object" in each:
            each["object"] = alone.sub(pseudonym, str(each["object"]))
    return json.dumps(parts) if told else message


def rename_in_ledger(user: uuid.UUID) -> None:
    """Replace the name by the pseudonym in a user's ledger rows and daily sums, in portions.

    Not within a transaction. Postgres refuses it (migration 0003) while a user with that id has another name.
    """
    values: Parameters = {"user": user, "pseudonym": pseudonym_of(user)}
    for model in (Usage, DailyUsage, DailyConversation):
        renamed = AT_ONCE
        while renamed == AT_ONCE:
            with connection.cursor() as cursor:
                cursor.execute(LEDGER.format(table=model._meta.db_table), values)
                renamed = cursor.rowcount
