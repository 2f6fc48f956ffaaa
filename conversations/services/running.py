"""What the process that runs a turn writes of it: claimed, asked of Claude, ended. One durable transaction each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from conversations.history import Block
from conversations.models import Conversation, LostTurn, Message, Piece, Turn, Usage
from conversations.services import attachments, paths, requests, usage
from conversations.services.notices import tell
from conversations.transcript import TURN_END, TURN_START, Batch, Event, Folded, fold, is_delta, plain_text


def claim(*, turn_id: uuid.UUID, holder: uuid.UUID) -> Turn | None:
    """Takes a queued turn for a process; None where another one was first, or it was cancelled meanwhile."""
    with transaction.atomic(durable=True):
        return Turn.objects.get(pk=turn_id) if Turn.claim(turn_id, holder) else None


def begin_request(*, turn: Turn, number: int) -> dict[str, Any]:
    """The turn's next Messages request, the `number`th. Raises LostTurn where the turn is not ours any more.

    That it is sent is noted first: if this process dies with it on its way, it is booked all the same.
    """
    with transaction.atomic(durable=True):
        ours = Turn.objects.filter(pk=turn.pk, fence=turn.fence, status=Turn.RUNNING)
        if not ours.update(requests_sent=number):
            raise LostTurn
        return _request(turn)


def _request(turn: Turn, expand: Callable[[Sequence[Block]], list[Block]] = attachments.expand) -> dict[str, Any]:
    """The request for the path that the turn answers, with its settings."""
    return requests.build(paths.to_message(turn.conversation_id, turn.answers_after), turn.settings, expand)


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
    """Its upstream requests that reached Claude, in their order."""


def finish(*, turn_id: uuid.UUID, fence: int, events: list[Event], ending: Ending) -> Batch:
    """Ends a turn that runs here: its messages, usage, status and whole transcript in one transaction.

    Returns the transcript's last events, which are committed now. Raises LostTurn where it is not ours any more.
    """
    with transaction.atomic(durable=True):
        turn = Turn.objects.select_for_update(no_key=True).filter(pk=turn_id, status=Turn.RUNNING, fence=fence).first()
        if turn is None:
            raise LostTurn
        return end(turn, events, ending)


def settle(*, turn_id: uuid.UUID, by: uuid.UUID) -> None:
    """Ends a turn that nobody runs any more, the process `by` included.

    What was committed is kept; what it spent is estimated from that.
    """
    with transaction.atomic(durable=True):
        abandoned = Turn.abandoned(by).select_for_update(no_key=True, skip_locked=True)
        turn = abandoned.filter(pk=turn_id).first()
        if turn is not None:
            asked_to = turn.cancel_requested_at is not None
            status = Turn.Status.CANCELLED if asked_to else Turn.Status.INTERRUPTED
            end(turn, committed(turn), Ending(status, upstream=sent(turn)))


def stop_now(*, turn_id: uuid.UUID) -> None:
    """Ends a turn under whoever runs it, with what is committed of it. Within the caller's transaction."""
    turn = Turn.objects.select_for_update(no_key=True).get(pk=turn_id)
    if not turn.ended:
        end(turn, committed(turn), Ending(Turn.Status.CANCELLED, upstream=sent(turn)))
        tell("cancel", turn.pk)


def sent(turn: Turn) -> tuple[usage.Upstream, ...]:
    """What is known of the requests of a turn that runs somewhere else: that they were sent."""
    return (usage.Upstream(),) * turn.requests_sent


def committed(turn: Turn) -> list[Event]:
    """The transcript as far as anybody can have seen it."""
    rows = turn.pieces.order_by("start")
    return [event for row in rows for event in row.events] or [turn_start(turn)]


def end(turn: Turn, events: list[Event], ending: Ending) -> Batch:
    """Everything that the end of a turn writes. Within the caller's transaction."""
    folded = fold(events)
    messages = _keep_messages(turn, folded)
    answers = [message for message in folded if message.role == Message.Role.ASSISTANT]
    rows = _book(turn, answers, ending.upstream)
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
    parent = turn.answers_after
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
    if messages and conversation.active_leaf_id == turn.answers_after:
        conversation.active_leaf = messages[-1]
        conversation.save(update_fields=["active_leaf", "updated_at"])
    return messages


def searched(blocks: list[dict[str, Any]]) -> str:
    """The text of the blocks as a column can hold it: Claude may say NUL, Postgres' text can't."""
    return plain_text(blocks).replace("\0", "")


def _book(turn: Turn, answers: list[Folded], upstream: tuple[usage.Upstream, ...]) -> list[Usage]:
    """A row for every request that reached Claude, those included that were cut before their answer began."""
    return [
        usage.book(
            user=turn.user,
            answer=answer or usage.unanswered(_request(turn, list)),
            model=turn.model,
            upstream=known or usage.Upstream(),
            turn=turn,
        )
        for answer, known in zip_longest(answers, upstream)
    ]
