"""The life of a turn: created, claimed, ended."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from conversations import history
from conversations.claude import catalogue
from conversations.errors import Conflict, IdempotencyMismatch, InvalidRequest, NotFound
from conversations.models import Conversation, LostTurn, Message, MessageAttachment, Piece, Turn, User
from conversations.services import attachments, paths, usage
from conversations.services.notices import tell
from conversations.services.settings import resolved
from conversations.transcript import TURN_END, TURN_START, Batch, Event, Folded, fold, is_delta, plain_text


@dataclass(frozen=True)
class Asked:
    """What a user asks in a turn: content to say after `parent`, or an answer to `regenerate`."""

    content: list[dict[str, Any]] | None = None
    parent: uuid.UUID | None = None
    at_leaf: bool = True
    """Whether to go on from the active leaf; otherwise `parent` says where, and None makes a new root."""
    regenerate: uuid.UUID | None = None
    settings: dict[str, Any] | None = None
    """This turn's own settings, on top of the conversation's."""


def create(
    *, user: User, conversation_id: uuid.UUID | str, asked: Asked, key: str | None = None, digest: str = ""
) -> tuple[Turn, bool]:
    """A turn, queued, and whether it is new: a key creates one turn for ever, and a retry gets that one.

    Raises NotFound, Conflict while another turn of the conversation is active, IdempotencyMismatch where the key was
    used with another body, InvalidRequest for settings that the model does not take.
    """
    try:
        with transaction.atomic(durable=True):
            return _create(user, conversation_id, asked, key, digest)
    except IntegrityError as error:
        # Somebody was faster in another conversation with the same key: the row that won is there now.
        if key is None or "one_turn_per_key" not in str(error):
            raise
        return _same_request(Turn.objects.get(user=user, idempotency_key=key), digest), False


def _create(user: User, conversation_id: Any, asked: Asked, key: str | None, digest: str) -> tuple[Turn, bool]:
    found = Conversation.objects.get_visible(user, conversation_id)
    # The lock makes twins wait for each other: the second finds the first one's key, or its active turn.
    conversation = Conversation.objects.select_for_update(no_key=True).get(pk=found.pk)
    known = Turn.objects.filter(user=user, idempotency_key=key).first() if key is not None else None
    if known:
        return _same_request(known, digest), False
    _refuse_second(conversation)
    settings = resolved(conversation.settings, asked.settings or {})
    catalogue.check(settings)
    message = _regenerated(conversation, asked.regenerate) if asked.regenerate else _said(user, conversation, asked)
    turn = Turn.objects.create(
        conversation=conversation,
        user=user,
        user_message=message,
        model=settings["model"],
        settings=settings,
        idempotency_key=key,
        request_digest=digest,
    )
    conversation.active_leaf = message
    conversation.save(update_fields=["active_leaf", "updated_at"])
    tell("turn", conversation.pk, turn.pk)
    return turn, True


def _same_request(turn: Turn, digest: str) -> Turn:
    if turn.request_digest != digest:
        raise IdempotencyMismatch("This idempotency key was used for another request.", details={"turn": str(turn.pk)})
    return turn


def _refuse_second(conversation: Conversation) -> None:
    active = conversation.turns.filter(status__in=Turn.ACTIVE).first()
    if active:
        raise Conflict("A turn is already active in this conversation.", details={"turn": str(active.pk)})


def _said(user: User, conversation: Conversation, asked: Asked) -> Message:
    parent = conversation.active_leaf_id if asked.at_leaf else _in_conversation(conversation, asked.parent)
    blocks, shown = attachments.take_in(owner=user, blocks=asked.content or [])
    message = Message.objects.create(
        conversation=conversation, parent_id=parent, role=Message.Role.USER, content=blocks, text=searched(blocks)
    )
    MessageAttachment.objects.bulk_create(MessageAttachment(message=message, attachment=it) for it in shown)
    return message


def searched(blocks: list[dict[str, Any]]) -> str:
    """The text of the blocks as a column can hold it: Claude may say NUL, Postgres' text can't."""
    return plain_text(blocks).replace("\0", "")


def _in_conversation(conversation: Conversation, id: uuid.UUID | None) -> uuid.UUID | None:
    if id is not None and not conversation.messages.filter(pk=id).exists():
        raise NotFound("There is no such message in this conversation.")
    return id


def _regenerated(conversation: Conversation, id: uuid.UUID) -> Message:
    """The message that the answer with this id answered."""
    answer = conversation.messages.select_related("turn__user_message", "parent").filter(pk=id).first()
    if answer is None:
        raise NotFound("There is no such message in this conversation.")
    asked = answer.turn.user_message if answer.turn else answer.parent
    if answer.role != Message.Role.ASSISTANT or asked is None:
        raise InvalidRequest("Only an answer can be regenerated.", details={"regenerate": "not an assistant message"})
    return asked


def claim(*, turn_id: uuid.UUID, holder: uuid.UUID) -> Turn | None:
    """Takes a queued turn for a process; None where another one was first, or it was cancelled meanwhile."""
    with transaction.atomic(durable=True):
        return Turn.objects.get(pk=turn_id) if Turn.claim(turn_id, holder) else None


def request_for(turn: Turn) -> dict[str, Any]:
    """The Messages request for a turn: the path to its user's message, and its settings."""
    path = paths.to_message(turn.conversation_id, turn.user_message_id)
    answers = {
        row.pk: row for row in Turn.objects.filter(pk__in={message.turn_id for message in path if message.turn_id})
    }
    said = [
        history.Said(
            message.role,
            message.content,
            message.stop_reason,
            prefix=_prefix(answers[message.turn_id].settings) if message.turn_id in answers else None,
        )
        for message in path
    ]
    return history.build(said, turn.settings, attachments.expand, _prefix(turn.settings))


def _prefix(settings: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(settings.get(key) for key in ("model", "system", "tools"))


def turn_start(turn: Turn) -> Event:
    """The first event of every transcript."""
    return {
        "type": TURN_START,
        "conversation": str(turn.conversation_id),
        "model": turn.model,
        "user_message": str(turn.user_message_id),
    }


@dataclass(frozen=True)
class Ending:
    """How a turn ended."""

    status: str
    error: dict[str, Any] | None = None
    """`type` and `message` of what made it fail."""
    upstream: tuple[usage.Upstream, ...] = ()
    """Its upstream requests, in their order."""


def finish(*, turn_id: uuid.UUID, fence: int, events: list[Event], ending: Ending) -> Batch:
    """Ends a turn that runs here: its messages, usage, status and whole transcript in one transaction.

    Returns the transcript's last events, which are committed now. Raises LostTurn where it is not ours any more.
    """
    with transaction.atomic(durable=True):
        turn = Turn.objects.select_for_update(no_key=True).filter(pk=turn_id, status=Turn.RUNNING, fence=fence).first()
        if turn is None:
            raise LostTurn
        return _end(turn, events, ending)


def settle(*, turn_id: uuid.UUID) -> None:
    """Ends a turn whose process was lost: what it had committed is kept, what it spent is estimated from that."""
    with transaction.atomic(durable=True):
        turn = Turn.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=turn_id).first()
        if turn is None or turn_id not in Turn.abandoned():
            return
        _end(turn, _committed(turn), Ending(Turn.Status.INTERRUPTED))


def stop_now(*, turn_id: uuid.UUID) -> None:
    """Ends a turn under whoever runs it, with what is committed of it. Within the caller's transaction."""
    turn = Turn.objects.select_for_update(no_key=True).get(pk=turn_id)
    if not turn.ended:
        _end(turn, _committed(turn), Ending(Turn.Status.CANCELLED))
        tell("cancel", turn.pk)


def _committed(turn: Turn) -> list[Event]:
    rows = turn.pieces.order_by("start")
    return [event for row in rows for event in row.events] or [turn_start(turn)]


def cancel(*, user: User, turn_id: uuid.UUID | str) -> Turn:
    """Asks for a turn to be stopped, or stops it at once if nobody runs it. Asking again, or too late, is harmless."""
    with transaction.atomic(durable=True):
        found = Turn.objects.get_visible(user, turn_id)
        turn = Turn.objects.select_for_update(no_key=True).get(pk=found.pk)
        if turn.status == Turn.RUNNING and turn.cancel_requested_at is None:
            Turn.objects.filter(pk=turn.pk).update(cancel_requested_at=Now())
            tell("cancel", turn.pk)
        elif turn.status == Turn.QUEUED:
            _end(turn, _committed(turn), Ending(Turn.Status.CANCELLED))
    return turn


def _end(turn: Turn, events: list[Event], ending: Ending) -> Batch:
    """Everything that the end of a turn writes."""
    folded = fold(events)
    messages = _keep_messages(turn, folded)
    answers = [message for message in folded if message.role == Message.Role.ASSISTANT]
    rows = [
        usage.book(user=turn.user, answer=answer, model=turn.model, upstream=upstream or usage.Upstream(), turn=turn)
        for answer, upstream in zip_longest(answers, ending.upstream[: len(answers)])
    ]
    if answers:
        turn.stop_reason = answers[-1].stop_reason
        turn.stop_sequence = answers[-1].stop_sequence
        turn.stop_details = answers[-1].stop_details
    turn.status, turn.error = ending.status, ending.error
    tail: list[Event] = [{"type": "error", "error": ending.error}] if ending.error else []
    tail.append(
        {
            "type": TURN_END,
            "status": turn.status,
            "stop_reason": turn.stop_reason,
            "usage": usage.summed(rows),
            "cost": usage.total_cost(rows),
            "messages": [str(message.pk) for message in messages],
        }
    )
    seen = turn.position
    whole = Batch.of(str(turn.pk), 0, [*events, *tail])
    turn.pieces.all().delete()
    Piece.objects.create(turn=turn, start=whole.start, end=whole.end, events=whole.events)
    turn.position = whole.end
    if turn.first_delta_at is None and any(map(is_delta, events)):
        turn.first_delta_at = Now()
    turn.finished_at = Now()
    turn.save()
    tell("journal", turn.pk)
    return whole.past(seen)


def _keep_messages(turn: Turn, folded: list[Folded]) -> list[Message]:
    """The messages of the transcript as rows, each the child of the one before."""
    messages: list[Message] = []
    parent = turn.user_message_id
    for each in folded:
        message = Message.objects.create(
            conversation_id=turn.conversation_id,
            parent_id=parent,
            turn=turn,
            role=each.role,
            content=each.content,
            text=searched(each.content),
            stop_reason=each.stop_reason,
        )
        parent = message.pk
        messages.append(message)
    conversation = Conversation.objects.select_for_update(no_key=True).get(pk=turn.conversation_id)
    if messages and conversation.active_leaf_id == turn.user_message_id:
        conversation.active_leaf = messages[-1]
        conversation.save(update_fields=["active_leaf", "updated_at"])
    return messages
