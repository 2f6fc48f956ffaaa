"""Turns that are requested while another one is active: queued behind it, or replacing it.

A pending turn is a row whose question is not a message yet. The transaction that ends the active turn makes the next
one active, at the leaf of that moment (`turn_queue`), and the process that claims it checks here whether it may run,
within the limits and budgets of that moment.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from conversations.content import sources
from conversations.errors import ColloquyError, Conflict, NotFound
from conversations.models import Conversation, PendingAttachment, PendingQuestion, Right, Turn
from conversations.services.accounts.shares import NOT_SHARED_ANY_MORE
from conversations.services.billing.user_limits import refuse_beyond_limits, used_by
from conversations.services.notices import notify
from conversations.services.turns import budget_holds, question_checks, turn_end, turn_queue
from conversations.services.turns.turn_begin import (
    Asker,
    Begun,
    Created,
    begin_once,
    known_by_key,
    new_turn,
    read_conversation,
)

MOST_PENDING = 20
"""The maximal number of a conversation's queued turns; as many more may wait to interrupt."""

MOST_ENDINGS = 40  # turns that may end one after the other at the very moment at which one is to be queued behind them


class OnActive(StrEnum):
    """What happens to a turn that is requested while another one of the conversation is active."""

    REJECT = "reject"
    QUEUE = "queue"
    INTERRUPT = "interrupt"


def begin_or_queue(
    who: Asker, conversation_id: uuid.UUID | str, begin: Callable[[Conversation], Begun], on_active: OnActive
) -> Created:
    """Store the turn that `begin` returns, as `begin_once`; while another one is active, act as `on_active` says.

    Raises as `begin_once`, and Conflict where too many turns wait already.
    """
    if on_active is OnActive.REJECT:
        return begin_once(who, conversation_id, begin)
    try:
        return begin_once(who, conversation_id, begin)
    except Conflict as error:
        conflict = error
    id = Conversation.objects.key(conversation_id)
    for _ in range(MOST_ENDINGS):
        if queued := _queued(who, id, begin, interrupts=on_active is OnActive.INTERRUPT):
            return queued
    raise conflict


def _queued(
    who: Asker, conversation_id: uuid.UUID, begin: Callable[[Conversation], Begun], *, interrupts: bool
) -> Created | None:
    """Store a pending turn; None if the active turn has changed. As `begin_or_queue`."""
    try:
        with transaction.atomic(durable=True):
            found = read_conversation(who, conversation_id)
            if isinstance(found, Created):
                return found
            # The transaction that ends the active turn locks it as well: it sees either this one, or none.
            active = Turn.objects.filter(conversation=found, status__in=Turn.ACTIVE)
            ahead = active.select_for_update(no_key=True).first()
            locked = Conversation.objects.select_for_update(no_key=True).get(pk=found.pk)
            if ahead is None and active.exists():
                return None
            return _behind(ahead, who, locked, begin(locked), interrupts=interrupts)
    except IntegrityError:
        if known := known_by_key(who):
            return known
        raise


def _behind(ahead: Turn | None, who: Asker, conversation: Conversation, begun: Begun, *, interrupts: bool) -> Created:
    """Store a pending turn behind the active one; if there is none, activate it at once."""
    used = used_by(who.user)
    refuse_beyond_limits(used, ("turns_per_minute",))
    waiting = turn_queue.pending_in(conversation.pk).filter(interrupts=interrupts)
    if waiting.count() >= MOST_PENDING:
        raise _too_many(ahead)
    turn = new_turn(replace(who, holder=None), conversation, begun)
    turn.status = Turn.Status.PENDING
    turn.user_message = None if begun.is_new else begun.question
    turn.save(force_insert=True)
    for each in waiting if interrupts else ():
        _interrupt_first(each.turn_id)
    _store_question(turn, begun, interrupts=interrupts)
    notify("turn", conversation.pk, turn.pk)
    if ahead is None:
        turn_queue.advance(conversation.pk)
        return Created(turn, is_new=True, used=used.with_another_turn())
    ahead.has_queue = True
    ahead.save(update_fields=["has_queue"])
    if interrupts:
        _stop(ahead)
    return Created(turn, is_new=True, used=used.with_another_turn())


def _too_many(ahead: Turn | None) -> Conflict:
    return Conflict(
        f"{MOST_PENDING} turns wait in this conversation already: wait until one of them has begun, or cancel one.",
        details={"queued": MOST_PENDING, "most": MOST_PENDING, **({"turn": str(ahead.pk)} if ahead else {})},
    )


def _store_question(turn: Turn, begun: Begun, *, interrupts: bool) -> None:
    content = begun.question.content if begun.is_new else None
    parent = None if begun.at_leaf else begun.question.parent_id
    question = PendingQuestion.objects.create(
        turn=turn, content=content, parent_id=parent, at_leaf=begun.at_leaf, interrupts=interrupts
    )
    shown = sources.attachments_in(content or [])
    PendingAttachment.objects.bulk_create(PendingAttachment(question=question, attachment_id=id) for id in shown)


def _stop(ahead: Turn) -> None:
    """Stop the active turn, which the caller has locked: at once, or by the process that runs it."""
    if ahead.status == Turn.RUNNING:
        _interrupt_first(ahead.pk)
    else:
        turn_end.stop(ahead)


def _interrupt_first(turn_id: uuid.UUID) -> None:
    """Ask for a turn to be stopped; a pending one is stopped once its question is part of the history."""
    Turn.objects.filter(pk=turn_id, cancel_requested_at=None).update(cancel_requested_at=Now())
    notify("cancel", turn_id)


def cancel_pending(found: Turn) -> Turn | None:
    """End a turn before it begins; return it, or None if it is not pending any more."""
    if found.status != Turn.Status.PENDING:
        return None
    with transaction.atomic(durable=True):
        Conversation.objects.select_for_update(no_key=True).filter(pk=found.conversation_id).first()
        pending = Turn.objects.filter(pk=found.pk, status=Turn.Status.PENDING)
        turn = pending.select_for_update(no_key=True).first()
        if turn is not None:
            turn_end.end(turn, None, turn_end.Ending(Turn.Status.CANCELLED))
        return turn


def admit(turn: Turn) -> bool:
    """Decide whether a formerly pending turn, which this process has claimed, may run; return the decision.

    The turn ends at once if it is to be interrupted, and fails if its user has no right, limit or budget left, or
    Claude would not accept its question. Raise LostTurn if it is not ours any more.
    """
    with transaction.atomic(durable=True):
        locked = turn_end.lock_running_turn(turn.pk, turn.fence)
        PendingQuestion.objects.filter(pk=turn.pk).delete()
        ending = _ending_at_once(locked)
        if ending:
            turn_end.end(locked, None, ending)
        turn.settings = locked.settings  # where a budget has lowered its `max_tokens`
        return ending is None


def _ending_at_once(turn: Turn) -> turn_end.Ending | None:
    """Return how a turn ends that must not run; None if it may run, with its cost held."""
    if turn.cancel_requested_at is not None:
        return turn_end.Ending(Turn.Status.CANCELLED)
    try:
        with transaction.atomic():
            if not Conversation.objects.open_to(turn.user, Right.WRITE).filter(pk=turn.conversation_id).exists():
                raise NotFound(NOT_SHARED_ANY_MORE)
            used = used_by(turn.user)
            others = used._replace(concurrent=used.concurrent - 1)  # this one is among them
            refuse_beyond_limits(others, ("concurrent_turns", "tokens_per_minute"))
            question_checks.check_question(turn.conversation_id, turn.question, turn.settings)
            budget_holds.hold_for_turn(turn)
    except ColloquyError as refused:
        return turn_end.Ending(Turn.Status.FAILED, refused.kept())
    return None
