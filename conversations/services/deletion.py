"""Deleting conversations and accounts. The rows of the ledger stay.

Whatever runs is ended first, as if it were stopped: booked, and what is held for it released. Postgres refuses to
delete work that has not ended, whoever tries (migration 0007).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from conversations.models import Attachment, Conversation, MessageAttachment, Right, Titling, Turn, User
from conversations.services import attachment_removal, titles, turn_end

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 5
"""How often a deletion is begun that somebody else's writing gets in the way of."""


def delete_conversation(*, user: User, id: uuid.UUID | str) -> None:
    """Delete a user's conversation with everything in it, and the attachments that nothing else shows.

    Raises NotFound.
    """
    found = Conversation.objects.get_open(user, id, Right.OWN)
    attachment_removal.remove_each_if_unused(in_one_go(_delete_conversation, found.pk))


def delete_account(user: User) -> None:
    """Delete a user with everything of theirs."""
    for eraser in settings.COLLOQUY_ERASERS:
        import_string(eraser)(user)
    for id in list(user.conversations.values_list("pk", flat=True)):
        attachment_removal.remove_each_if_unused(in_one_go(_delete_conversation, id))
    files = set(Attachment.objects.filter(owner=user).values_list("sha256", flat=True))
    in_one_go(_delete_user, user)
    for sha256 in files:
        attachment_removal.remove_file(sha256)


def _delete_user(user: User) -> None:
    """Delete a user who has no conversations any more. What they have asked in others' conversations is stopped."""
    for turn in Turn.unended().filter(user=user).select_for_update(no_key=True).order_by("pk"):
        turn_end.stop(turn)
    for titling in Titling.unended().filter(turn__user=user).select_for_update(no_key=True, of=("self",)):
        titles.stop(titling)
    User.objects.filter(pk=user.pk).delete()


def in_one_go(step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a step returns, run in a transaction of its own.

    It is begun anew where somebody has written meanwhile what it has not seen: work that began, a row that refers to
    what it deletes.
    """
    for _ in range(TRIES - 1):
        try:
            with transaction.atomic(durable=True):
                return step(*args, **kwargs)
        except IntegrityError:
            continue
    with transaction.atomic(durable=True):
        return step(*args, **kwargs)


def _delete_conversation(id: uuid.UUID) -> set[uuid.UUID]:
    """Delete a conversation, if it is there; return the ids of the attachments that its messages showed."""
    _end_work_in(id)
    shown = set(MessageAttachment.objects.filter(message__conversation=id).values_list("attachment", flat=True))
    Conversation.objects.filter(pk=id).delete()
    return shown


def _end_work_in(conversation: uuid.UUID) -> None:
    """Stop the turns and the title of a conversation, and lock it, so that no turn begins in it meanwhile.

    The locks are taken in the order of those who end such work: its own row, then the conversation.
    """
    turns = Turn.unended().filter(conversation=conversation).select_for_update(no_key=True)
    for turn in turns.order_by("-pk"):
        turn_end.stop(turn)
    for titling in Titling.unended().filter(conversation=conversation).select_for_update(no_key=True):
        titles.stop(titling)
    list(Conversation.objects.select_for_update().filter(pk=conversation).values_list("pk"))
