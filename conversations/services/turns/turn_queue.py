"""A conversation's queue: when the active turn has ended, the next pending one becomes active.

A change of the active turn locks the turn, then the conversation, and then changes statuses: a new turn locks the
conversation, and then waits for such changes. Pending turns are locked after their conversation.
"""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from conversations.models import Conversation, Message, PendingQuestion, Turn
from conversations.services.files import attachments
from conversations.services.notices import notify
from conversations.services.turns.answer_storage import searchable_text

AT_ONCE = 100


def pending_in(conversation_id: uuid.UUID) -> QuerySet[PendingQuestion]:
    """Return the questions of a conversation's pending turns: those that interrupt first, then by creation."""
    pending = PendingQuestion.objects.filter(turn__conversation=conversation_id, turn__status=Turn.Status.PENDING)
    return pending.order_by("-interrupts", "turn__created_at", "turn_id")


def advance(conversation_id: uuid.UUID) -> None:
    """Make the next pending turn of a conversation active, for any process that runs turns.

    Its question becomes a message, after the present leaf unless it names another parent. Within the caller's
    transaction, in which the conversation has no active turn any more.
    """
    conversation = Conversation.objects.select_for_update(no_key=True).get(pk=conversation_id)
    for question in pending_in(conversation_id):
        pending = Turn.objects.filter(pk=question.turn_id, status=Turn.Status.PENDING)
        if pending.update(status=Turn.QUEUED, has_queue=True):  # it was not cancelled meanwhile
            _put(question, conversation)
            notify("queued-turn", question.turn_id)
            return


def _put(question: PendingQuestion, conversation: Conversation) -> None:
    """Add a question to the history, as the active leaf. The caller has locked the conversation."""
    turn = Turn.objects.get(pk=question.turn_id)
    if question.content is not None:
        message = Message(
            conversation=conversation,
            parent_id=conversation.active_leaf_id if question.at_leaf else question.parent_id,
            role=Message.Role.USER,
            content=question.content,
            text=searchable_text(question.content),
        )
        message.save(force_insert=True)
        attachments.link_to_messages([message])
        question.shown.all().delete()  # the message keeps them from here on
        turn.user_message = message
        turn.save(update_fields=["user_message"])
    conversation.active_leaf_id = turn.answers_after
    conversation.save(update_fields=["active_leaf", "updated_at"])


def advance_stalled() -> None:
    """Advance all queues whose conversation has no active turn, because it ended without advancing its queue."""
    active = Turn.objects.filter(conversation=OuterRef("conversation"), status__in=Turn.ACTIVE)
    pending = Turn.objects.filter(~Exists(active), status=Turn.Status.PENDING)
    for conversation in pending.order_by().values_list("conversation", flat=True).distinct()[:AT_ONCE]:
        try:
            with transaction.atomic():
                advance(conversation)
        except (IntegrityError, Conversation.DoesNotExist):  # a turn has begun in it meanwhile, or it is gone
            continue
