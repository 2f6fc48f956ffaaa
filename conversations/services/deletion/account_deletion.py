"""Deleting accounts: closed at once, and then erased in steps, so that no lock is held for long.

If a process dies during a deletion, its report is unfinished, and the worker continues (`resume`). Ledger rows stay,
under a pseudonym.
"""

from __future__ import annotations

import logging
import uuid

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import OuterRef, Subquery
from django.utils.module_loading import import_string
from knox.models import AuthToken

from conversations.errors import NotFound
from conversations.models import Conversation, Deletion, PendingQuestion, Ticket, Titling, Turn, User
from conversations.services import imports
from conversations.services.billing.pseudonyms import forget_names, pseudonym_of, rename_in_ledger
from conversations.services.deletion import deletion, deletion_reports
from conversations.services.deletion.deletion import in_one_go
from conversations.services.turns import queued_turns, titles, turn_end

logger = logging.getLogger(__name__)

SESSIONS_AT_ONCE = 500


def delete_account(*, user: User, cause: Deletion.Cause) -> Deletion:
    """Delete a user with all their data; return the report. Not within a transaction."""
    report = in_one_go(close_account, user=user, cause=cause)
    erase(report)
    return report


def close_account(*, user: User, cause: Deletion.Cause) -> Deletion:
    """Revoke all access of the user, and remove their name and email; return the unfinished report.

    Within the caller's transaction. The data is deleted by `erase`. A closed account already has a report, which is
    returned. Raise NotFound if the user does not exist.
    """
    row = User.objects.select_for_update().filter(pk=user.pk).first()
    if row is None:
        raise NotFound("This account is deleted already.")
    known = Deletion.objects.filter(owner=row, kind=Deletion.Kind.ACCOUNT, finished_at=None).first()
    if known is not None:
        return known
    report = deletion.report_of(row, Deletion.Kind.ACCOUNT, cause)
    tokens, _ = AuthToken.objects.filter(user=row).delete()
    tickets, _ = Ticket.objects.filter(user=row).delete()
    deletion_reports.add(report, {"tokens": tokens, "tickets": tickets})
    names = (row.username, row.email)
    row.username, row.email, row.first_name, row.last_name = pseudonym_of(row.pk), "", "", ""
    row.is_active, row.password, row.last_login = False, make_password(None), None
    row.save()
    forget_names(user=row.pk, names=names)
    return report


def resume() -> None:
    """Continue all unfinished deletions of accounts. One that fails is logged."""
    for report in Deletion.objects.filter(kind=Deletion.Kind.ACCOUNT, finished_at=None).order_by("pk"):
        try:
            erase(report)
        except Exception:
            logger.exception("The account of deletion %s could not be erased, and will be retried", report.pk)


def erase(report: Deletion) -> None:
    """Delete the remaining data of a closed account, and finish its report. Not within a transaction.

    If another process is running it, nothing happens.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 1))", [str(report.pk)])
        if not cursor.fetchone()[0]:
            return
    try:
        report.refresh_from_db()
        if report.owner is not None:
            _erase(report.owner, report)
        if report.finished_at is None:
            deletion_reports.finish(report)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 1))", [str(report.pk)])


def _erase(user: User, report: Deletion) -> None:
    deletion_reports.add(report, {"imports": imports.erase(user)})  # first: imports create objects
    for eraser in settings.COLLOQUY_ERASERS:
        import_string(eraser)(user, report)
    for id in list(user.conversations.values_list("pk", flat=True)):
        deletion.erase_conversation(id, report)
    for pending in Turn.objects.filter(user=user, status=Turn.Status.PENDING):
        queued_turns.cancel_pending(pending)
    for turn in list(Turn.objects.filter(user=user).values_list("pk", flat=True)):
        in_one_go(_leave_turn, turn)
    _end_sessions(user, report)
    deletion.remove_attachments(set(user.attachments.values_list("pk", flat=True)), report)
    rename_in_ledger(user.pk)
    in_one_go(_delete_user, user.pk, report)


def _leave_turn(id: uuid.UUID) -> None:
    """Transfer a turn of the user in another user's conversation to that user, after stopping it.

    Its question, if it is not a message yet, is deleted.
    """
    for turn in Turn.unended().select_for_update(no_key=True).filter(pk=id):
        turn_end.stop(turn)
    for titling in Titling.unended().select_for_update(no_key=True).filter(turn=id):
        titles.stop(titling)
    PendingQuestion.objects.filter(turn=id).delete()
    owner = Conversation.objects.filter(pk=OuterRef("conversation")).values("owner")
    Turn.objects.filter(pk=id).update(user=Subquery(owner), idempotency_key=None, request_digest="")


def _end_sessions(user: User, report: Deletion) -> None:
    """Delete the user's sessions, which only their data identifies."""
    own = [
        session.pk
        for session in Session.objects.iterator(SESSIONS_AT_ONCE)
        if session.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    with transaction.atomic():
        ended, _ = Session.objects.filter(pk__in=own).delete()
        deletion_reports.add(report, {"sessions": ended})


def _delete_user(id: uuid.UUID, report: Deletion) -> None:
    """Delete the user's row with the remaining rows: budgets, feedback, the access log."""
    list(User.objects.select_for_update().filter(pk=id).values_list("pk"))  # locked: nothing new is created meanwhile
    _, deleted = User.objects.filter(pk=id).delete()
    deletion_reports.add(report, deletion_reports.kinds(deleted))
