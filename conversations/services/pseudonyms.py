"""What stands for a user whose name is not kept."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import connection
from django.utils.crypto import salted_hmac

from conversations.models import DailyConversation, DailyUsage, Opening, Usage
from conversations.services import login_failures

LENGTH = 32  # hexadecimal digits, which migration 0009 lets stand in the place of a name
AT_ONCE = 1000  # rows of the ledger that are changed in one transaction

# A name between what can be part of one.
WHOLE_NAMES = r"(?<![\w.@+-])({names})(?![\w.@+-])"

LOG = f"""
UPDATE {LogEntry._meta.db_table} SET
    object_repr = left(regexp_replace(object_repr, %(names)s, %(pseudonym)s, 'g'), 200),
    change_message = regexp_replace(change_message, %(names)s, %(pseudonym)s, 'g')
WHERE object_repr ~ %(names)s OR change_message ~ %(names)s
"""  # noqa: S608 - Django's own name

LEDGER = f"""
UPDATE {{table}} SET username = %(pseudonym)s WHERE id IN (
    SELECT id FROM {{table}} WHERE user_id = %(user)s AND username <> %(pseudonym)s LIMIT {AT_ONCE}
)
"""  # noqa: S608 - ours


def pseudonym_of(user: uuid.UUID) -> str:
    """Return what stands for a user, by their id: always the same, and not to be told without the secret key."""
    return salted_hmac("conversations.usage.username", str(user), algorithm="sha256").hexdigest()[:LENGTH]


def forget_names(*, user: uuid.UUID, names: Iterable[str]) -> None:
    """Put the pseudonym in the place of a user's name and mail in the logs, which go by names.

    `names` are those that are in nobody's row any more. Within the caller's transaction.
    """
    pseudonym = pseudonym_of(user)
    given = [name for name in names if name]
    for name in given:
        Opening.objects.filter(staff=name).update(staff=pseudonym)
        login_failures.forget_name(name)
    written = {re.escape(each) for name in given for each in (name, json.dumps(name)[1:-1])}
    if written:
        with connection.cursor() as cursor:
            cursor.execute(LOG, {"names": WHOLE_NAMES.format(names="|".join(sorted(written))), "pseudonym": pseudonym})


def rename_in_ledger(user: uuid.UUID) -> None:
    """Put the pseudonym in the place of the name in a user's rows of the ledger and of its days, a part at a time.

    Not within a transaction. Postgres refuses it (migration 0009) while there is a user of that id by another name.
    """
    values: dict[str, Any] = {"user": user, "pseudonym": pseudonym_of(user)}
    for model in (Usage, DailyUsage, DailyConversation):
        renamed = AT_ONCE
        while renamed == AT_ONCE:
            with connection.cursor() as cursor:
                cursor.execute(LEDGER.format(table=model._meta.db_table), values)
                renamed = cursor.rowcount
