"""Beginning a turn: stored with its question by one statement, once for each key."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from conversations.content import sources
from conversations.content.transcript import Batch
from conversations.errors import Conflict
from conversations.fields import uuid7
from conversations.models import Conversation, Message, Turn, User
from conversations.services import attachments, budget_holds, transcripts, turn_statements, user_limits

MOST_TRIES = 5  # to begin a turn in a conversation that others change at the same moment


@dataclass(frozen=True)
class Asker:
    """Who asks for a turn, and under which key; and which process is to run it."""

    user: User
    key: str | None = None
    """An idempotency key: it makes one turn for ever."""
    digest: str = ""
    """SHA-256 of what is asked: the same key with another one is refused."""
    holder: uuid.UUID | None = None
    """The process that runs the turn from the moment that it is stored; without one it is queued for any."""
    turn_id: uuid.UUID = field(default_factory=uuid7)


@dataclass(frozen=True)
class Begun:
    """What a new turn is to be."""

    question: Message
    settings: dict[str, Any]
    is_new: bool = False
    """Whether the question is not stored yet."""
    continues: Message | None = None
    at_leaf: bool = False
    """Whether it was asked for after whatever the conversation's active leaf is."""


def begin_once(who: Asker, conversation: Conversation, begin: Callable[[Conversation], Begun]) -> tuple[Turn, bool]:
    """Store the turn that `begin` makes, if the key has not made one already; return it, and whether it is new.

    Raises NotFound where the conversation is gone, Conflict while another turn of it is active, IdempotencyMismatch
    where the key was used for another request, RateLimited, BudgetExceeded, and what `begin` raises.
    """
    for _ in range(MOST_TRIES):
        known = _of_key(who)
        if known:
            return known, False
        try:
            turn = _stored(who, conversation, begin)
        except IntegrityError as error:
            return _first_one(error, who, conversation), False
        if turn is not None:
            return turn, True
        # Its active leaf is another one by now, or it is gone.
        conversation = Conversation.objects.get_visible(who.user, conversation.pk)
    raise Conflict("Others are changing this conversation. Send the request again.")


def _stored(who: Asker, conversation: Conversation, begin: Callable[[Conversation], Begun]) -> Turn | None:
    """Store the turn that `begin` makes; None where the conversation's active leaf is another one by now."""
    with transaction.atomic(durable=True):
        user_limits.check_limits(who.user)
        begun = begin(conversation)
        turn = _turn(who, conversation, begun)
        budgeted = turn_statements.begin(
            turn,
            new_message=begun.is_new,
            at_leaf=conversation.active_leaf_id,
            anywhere=not begun.at_leaf,
            start=Batch.of(str(turn.pk), 0, [transcripts.turn_start(turn)]),
        )
        if budgeted is None:
            return None
        if begun.is_new and sources.attachments_in(begun.question.content):
            attachments.link_to_messages([begun.question])
        if budgeted:
            budget_holds.hold_for_turn(turn)
        return turn


def _turn(who: Asker, conversation: Conversation, begun: Begun) -> Turn:
    turn = Turn(
        id=who.turn_id,
        conversation=conversation,
        user=who.user,
        user_message=begun.question,
        continues=begun.continues,
        settings=begun.settings,
        model=begun.settings["model"],
        idempotency_key=who.key,
        request_digest=who.digest,
    )
    if who.holder:
        # Its beginning is in the transcript, and its first request, which is sent at once, is noted.
        turn.status, turn.holder, turn.fence, turn.position, turn.requests_sent = Turn.RUNNING, who.holder, 1, 1, 1
    return turn


def _of_key(who: Asker) -> Turn | None:
    """Return the turn that the key has made. Raises IdempotencyMismatch where it was of another request."""
    if who.key is None:
        return None
    turn = Turn.objects.filter(user=who.user, idempotency_key=who.key).first()
    return turn and turn.asked_for_by(who.digest)


def _first_one(error: IntegrityError, who: Asker, conversation: Conversation) -> Turn:
    """Return the turn that stood in the way of a new one, if it is of the same key. Raises Conflict if it is not."""
    known = _of_key(who)
    if known:
        return known
    if "one_active_turn" not in str(error):
        raise error
    active = conversation.turns.filter(status__in=Turn.ACTIVE).first()
    details = {"turn": str(active.pk)} if active else None
    raise Conflict(
        "Another turn is active in this conversation: wait until it has ended, or cancel it.", details=details
    )
