"""What the process that runs a turn writes of it: claimed, asked of Claude, ended. One durable transaction each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from conversations import tools
from conversations.history import Block
from conversations.models import Conversation, LostTurn, Message, Piece, Turn
from conversations.services import attachments, budgets, paths, requests, spending, titles, usage
from conversations.services.notices import tell
from conversations.transcript import TOOL_RESULT, TURN_END, TURN_START, Batch, Event, Folded, fold, is_delta, plain_text


def claim(*, turn_id: uuid.UUID, holder: uuid.UUID) -> tuple[Turn, list[Event]] | None:
    """Takes a queued turn for a process, with its transcript so far.

    None where another one was first, or it was cancelled meanwhile.
    """
    with transaction.atomic(durable=True):
        if not Turn.claim(turn_id, holder):
            return None
        turn = Turn.objects.select_related("user").get(pk=turn_id)
        return turn, _written(turn)


def begin_request(*, turn: Turn, number: int, events: list[Event]) -> dict[str, Any]:
    """The turn's next Messages request, the `number`th, after these events.

    That it is sent is noted first: if this process dies with it on its way, it is booked all the same. Raises LostTurn
    where the turn is not ours, BudgetExceeded where there is not enough left for the request.
    """
    with transaction.atomic(durable=True):
        ours = Turn.objects.filter(pk=turn.pk, fence=turn.fence, status=Turn.RUNNING)
        if not ours.update(requests_sent=number):
            raise LostTurn
        folded = fold(events)
        if number > 1:
            spending.hold_for_round(turn, number, folded)
        return _request(turn, folded)


def _request(
    turn: Turn, folded: list[Folded], expand: Callable[[Sequence[Block]], list[Block]] = attachments.expand
) -> dict[str, Any]:
    """The request for the path that the turn answers and what it has said since, with its settings."""
    said = [
        Message(role=each.role, content=each.content, stop_reason=each.stop_reason, turn=turn)
        for each in folded
        if each.role == Message.Role.USER or each.stopped
    ]
    path = paths.to_message(turn.conversation_id, turn.answers_after)
    request = requests.build([*path, *said], turn.settings, expand)
    return {**request, **_container(turn, folded)}


def _container(turn: Turn, folded: list[Folded]) -> dict[str, Any]:
    """Where Claude's code runs in this turn: it is there that it waits for the tools that it has called."""
    cut = turn.continues.turn if turn.continues else None
    folded = [*(fold(committed(cut)) if cut else []), *folded]
    given = [each.envelope["container"] for each in folded if isinstance(each.envelope.get("container"), dict)]
    return {"container": given[-1]["id"]} if given and "id" in given[-1] else {}


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
        return end(_held(turn_id, fence), events, ending)


def suspend(*, turn_id: uuid.UUID, fence: int, events: list[Event], upstream: tuple[usage.Upstream, ...]) -> str:
    """Lets a turn wait for its client's tools, and for no process. The status that it has then.

    It is queued again where their results are there already, and ended where it was to be stopped meanwhile. Raises
    LostTurn where it is not ours any more.
    """
    with transaction.atomic(durable=True):
        turn = _held(turn_id, fence)
        if turn.cancel_requested_at is not None:
            end(turn, events, Ending(Turn.Status.CANCELLED, upstream=upstream))
            return turn.status
        folded = fold(events)
        _keep(turn, folded, upstream, whole=False)
        budgets.release(turn.pk)
        _write(turn, Batch.of(str(turn.pk), 0, events))
        turn.status, turn.holder, turn.awaiting_since = Turn.Status.AWAITING_TOOLS, None, Now()
        go_on_if_answered(turn, folded)
        turn.save()
        tell("journal", turn.pk)
        return turn.status


def go_on_if_answered(turn: Turn, folded: list[Folded]) -> None:
    """Queues a turn that awaits tools, if all their results are there. Its transcript folds to `folded`.

    Within the caller's transaction, which saves the turn and tells of it.
    """
    results = _handed_in(turn, folded)
    if len(results) < len(open_calls(turn, folded)):
        return
    _add(turn, results)
    turn.status, turn.tool_results, turn.awaiting_since = Turn.QUEUED, [], None


def _handed_in(turn: Turn, folded: list[Folded]) -> list[Event]:
    """The results of the client's tools that are there, of the calls that await them. What was taken is not lost:
    where the turn ends before the others are there, Claude must not be told that these were not run."""
    given = {result["tool_use_id"]: result for result in turn.tool_results}
    awaited = [call["id"] for call in open_calls(turn, folded)]
    return [{**given[id], "type": TOOL_RESULT} for id in awaited if id in given]


def open_calls(turn: Turn, folded: list[Folded]) -> list[Block]:
    """The calls of the client's tools in the newest answer that have no result yet."""
    ours = {each["name"] for each in turn.settings.get("tools") or () if tools.is_platform(each)}
    answers = [at for at, message in enumerate(folded) if message.role == Message.Role.ASSISTANT]
    if not answers:
        return []
    answer, after = folded[answers[-1]], folded[answers[-1] + 1 :]
    done = {block["tool_use_id"] for message in after for block in message.content}
    calls = [block for block in answer.content if block.get("type") == "tool_use"]
    return [call for call in calls if call["id"] not in done and call["name"] not in ours]


def _held(turn_id: uuid.UUID, fence: int) -> Turn:
    """The turn that runs here, locked. Raises LostTurn where it is not ours any more."""
    turn = Turn.objects.select_for_update(no_key=True).filter(pk=turn_id, status=Turn.RUNNING, fence=fence).first()
    if turn is None:
        raise LostTurn
    return turn


def settle(*, turn_id: uuid.UUID, by: uuid.UUID) -> None:
    """Ends a turn that nobody runs any more, the process `by` included, or whose client has forgotten it.

    What was committed is kept; what it spent is estimated from that.
    """
    with transaction.atomic(durable=True):
        left = (Turn.abandoned(by), Turn.forgotten())
        locked = (each.select_for_update(no_key=True, skip_locked=True).filter(pk=turn_id).first() for each in left)
        turn = next((each for each in locked if each is not None), None)
        if turn is not None:
            asked_to = turn.cancel_requested_at is not None
            status = Turn.Status.CANCELLED if asked_to else Turn.Status.INTERRUPTED
            end(turn, committed(turn), Ending(status, upstream=sent(turn)))


@receiver(pre_delete, sender=Turn)
def _gone(instance: Turn, **kwargs: Any) -> None:
    """A turn that is deleted under whoever runs it, with its conversation or its user, is booked and stopped."""
    turn = instance.locked_unless_ended()
    if turn is not None:
        folded = fold(committed(turn))
        _book(turn, folded, _answers(folded), sent(turn))
        budgets.release(turn.pk)
        tell("cancel", turn.pk)


def sent(turn: Turn) -> tuple[usage.Upstream, ...]:
    """What is known of the requests of a turn that runs somewhere else: that they were sent."""
    return (usage.Upstream(),) * (turn.requests_sent - turn.usage.count())


def committed(turn: Turn) -> list[Event]:
    """The transcript as far as anybody can have seen it, or its beginning."""
    return _written(turn) or [turn_start(turn)]


def _written(turn: Turn) -> list[Event]:
    return [event for row in turn.pieces.order_by("start") for event in row.events]


def end(turn: Turn, events: list[Event], ending: Ending) -> Batch:
    """Everything that the end of a turn writes. Within the caller's transaction."""
    events = [*events, *_handed_in(turn, fold(events))]
    _keep(turn, fold(events), ending.upstream)
    budgets.release(turn.pk)
    rows = list(turn.usage.all())
    turn.status, turn.error = ending.status, ending.error
    tail: list[Event] = [{"type": "error", "error": ending.error}] if ending.error else []
    tail.append(
        {
            "type": TURN_END,
            "status": turn.status,
            "stop_reason": turn.stop_reason,
            "usage": usage.summed(rows),
            "cost": usage.total_cost(rows),
            "messages": [str(id) for id in turn.messages.order_by("id").values_list("pk", flat=True)],
        }
    )
    seen = turn.position
    whole = Batch.of(str(turn.pk), 0, [*events, *tail])
    _write(turn, whole)
    if turn.first_delta_at is None and any(map(is_delta, events)):
        turn.first_delta_at = Now()
    turn.tool_results, turn.awaiting_since, turn.finished_at = [], None, Now()
    turn.save()
    titles.queue(turn)
    tell("journal", turn.pk)
    return whole.past(seen)


def _write(turn: Turn, whole: Batch) -> None:
    """The whole transcript as one piece, in the place of all those that it was written in."""
    turn.pieces.all().delete()
    Piece.objects.create(turn=turn, start=whole.start, end=whole.end, events=whole.events)
    turn.position = whole.end


def _add(turn: Turn, events: list[Event]) -> None:
    """More of the transcript of a turn that no process runs."""
    batch = Batch.of(str(turn.pk), turn.position, events)
    Piece.objects.create(turn=turn, start=batch.start, end=batch.end, events=batch.events)
    turn.position = batch.end


def _keep(turn: Turn, folded: list[Folded], upstream: tuple[usage.Upstream, ...], *, whole: bool = True) -> None:
    """The messages, usage and stop reason of the transcript, as far as they are not kept yet.

    Where the turn goes on later it is not `whole`: results of tools that others are to join are left for then.
    """
    kept = folded if whole or not folded or folded[-1].role == Message.Role.ASSISTANT else folded[:-1]
    _keep_messages(turn, kept)
    answers = _answers(folded)
    _book(turn, folded, answers, upstream)
    if answers:
        turn.stop_reason = answers[-1].stop_reason
        turn.stop_sequence = answers[-1].stop_sequence
        turn.stop_details = answers[-1].stop_details


def _answers(folded: list[Folded]) -> list[Folded]:
    return [message for message in folded if message.role == Message.Role.ASSISTANT]


def _keep_messages(turn: Turn, folded: list[Folded]) -> None:
    """The messages of the transcript that have no rows yet, each the child of the one before."""
    before = list(turn.messages.order_by("id"))
    begins_after = before[-1].pk if before else turn.answers_after
    parent = begins_after
    for each in folded[len(before) :]:
        message = Message.objects.create(
            conversation_id=turn.conversation_id,
            parent_id=parent,
            turn=turn,
            role=each.role,
            content=each.content,
            text=searched(each.content),
            stop_reason=each.stop_reason,
        )
        if each.role == Message.Role.USER:
            attachments.show([message])
        parent = message.pk
    conversation = Conversation.objects.select_for_update(no_key=True).get(pk=turn.conversation_id)
    if parent != begins_after and conversation.active_leaf_id == begins_after:
        conversation.active_leaf_id = parent
        conversation.save(update_fields=["active_leaf", "updated_at"])


def searched(blocks: list[dict[str, Any]]) -> str:
    """The text of the blocks as a column can hold it: Claude may say NUL, Postgres' text can't."""
    return plain_text(blocks).replace("\0", "")


def _book(turn: Turn, folded: list[Folded], answers: list[Folded], upstream: tuple[usage.Upstream, ...]) -> None:
    """A row for every request that reached Claude and has none, those included that were cut before an answer began."""
    for answer, known in zip_longest(answers[turn.usage.count() :], upstream):
        usage.book(
            user=turn.user,
            answer=answer or usage.unanswered(_request(turn, folded, list)),
            model=turn.model,
            upstream=known or usage.Upstream(),
            turn=turn,
        )
