"""Deleting conversations with everything in them. Ledger rows stay, and a report.

Running work is stopped and booked first, and its holds are released. Postgres refuses every deletion of work that has
not ended (migration 0005). Accounts are deleted by services/deletion/account_deletion.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, IntegrityError, transaction

from conversations.database_faults import is_contended
from conversations.models import (
    Conversation,
    Deletion,
    MessageAttachment,
    PendingAttachment,
    Right,
    Titling,
    Turn,
    User,
)
from conversations.services.billing.pseudonyms import pseudonym_of
from conversations.services.deletion import deletion_reports
from conversations.services.files import attachment_removal
from conversations.services.turns import titles, turn_end

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 5
"""The maximal number of attempts at a deletion that conflicts with concurrent writes."""


def delete_conversation(*, user: User, id: uuid.UUID | str, cause: Deletion.Cause = Deletion.Cause.OWNER) -> Deletion:
    """Delete a user's conversation with everything in it, and attachments without other references.

    Return the report. Raises NotFound.
    """
    found = Conversation.objects.only("pk").get_open(user, id, Right.OWN)
    report = report_of(user, Deletion.Kind.CONVERSATION, cause)
    erase_conversation(found.pk, report)
    if not report.erased:  # another request was faster
        raise Conversation.objects.not_found()
    deletion_reports.finish(report)
    return report


def report_of(user: User, kind: Deletion.Kind, cause: Deletion.Cause) -> Deletion:
    """Return a new report, which is stored with its first entry."""
    return Deletion(owner=user, pseudonym=pseudonym_of(user.pk), kind=kind, cause=cause)


def erase_conversation(id: uuid.UUID, report: Deletion, is_due: Callable[[uuid.UUID], bool] = lambda _id: True) -> None:
    """Delete a conversation, if it exists, and add the counts to a report. Not within a transaction.

    `is_due` is called once no turn can begin in the conversation any more; if it returns False, nothing happens.
    """
    shown = in_one_go(_delete_conversation, id, report, is_due)
    remove_attachments(shown, report)


def remove_attachments(ids: set[uuid.UUID], report: Deletion) -> None:
    """Remove those attachments, with their bytes, that have no references. Not within a transaction."""
    removed = attachment_removal.remove_each_if_unused(ids)
    if removed:
        deletion_reports.add(report, {"attachments": removed})


def in_one_go(step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a step in a transaction of its own; return its result.

    It is retried a few times on conflicts with concurrent transactions: deadlocks, work that has begun meanwhile, and
    new references to rows that it deletes.
    """
    for _ in range(TRIES - 1):
        try:
            with transaction.atomic(durable=True):
                return step(*args, **kwargs)
        except DatabaseError as error:
            if not (isinstance(error, IntegrityError) or is_contended(error)):
                raise
    with transaction.atomic(durable=True):
        return step(*args, **kwargs)


def _delete_conversation(id: uuid.UUID, report: Deletion, is_due: Callable[[uuid.UUID], bool]) -> set[uuid.UUID]:
    """Delete a conversation's rows; return the ids of the attachments in its messages.

    Locks are taken in the same order as for ending work: its own row, then the conversation, then pending turns.
    """
    unended = Turn.unended().filter(conversation=id).select_for_update(no_key=True).order_by("pk")
    active = list(unended.exclude(status=Turn.Status.PENDING))
    titlings = list(Titling.unended().filter(conversation=id).select_for_update(no_key=True))
    found = list(Conversation.objects.select_for_update().filter(pk=id).values_list("pk"))
    if not found or not is_due(id):
        return set()
    for turn in [*unended.exclude(pk__in=[each.pk for each in active]), *active]:  # none of a queue may begin here
        turn_end.stop(turn)
    for titling in titlings:
        titles.stop(titling)
    in_messages = MessageAttachment.objects.filter(message__conversation=id).values_list("attachment", flat=True)
    pending = PendingAttachment.objects.filter(question__turn__conversation=id).values_list("attachment", flat=True)
    shown = {*in_messages, *pending}
    _, deleted = Conversation.objects.filter(pk=id).delete()
    deletion_reports.add(report, deletion_reports.kinds(deleted))
    return shown
