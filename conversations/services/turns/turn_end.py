"""Ending a turn, on any process and whatever its row contains.

Each ending has two attempts. The first one writes everything: messages, usage, the whole transcript. If it fails,
because the transcript can't be folded or its contents can't be stored, the second one does without them: the turn is
failed, its requests are booked as estimates, and the committed part of the transcript is closed.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now

from conversations.content.folding import Folded, fold
from conversations.content.transcript import TURN_END, Batch, is_delta
from conversations.contract.error_types import Failure
from conversations.contract.transcript_events import Event
from conversations.models import LostTurn, Turn, Usage
from conversations.services.best_effort import if_possible, whole_or_least
from conversations.services.billing import budgets, ledger
from conversations.services.notices import notify
from conversations.services.turns import answer_storage, titles, transcripts, turn_queue, turn_requests
from conversations.services.turns.client_tools import received_results

NOT_STORED: Failure = {"type": "api_error", "message": "The answer could not be stored; the platform's log says why."}


@dataclass(frozen=True)
class Ending:
    """How a turn ended."""

    status: str
    error: Failure | None = None
    """`type` and `message` of the error that made it fail."""
    upstream: tuple[ledger.RequestRecord, ...] = ()
    """Its upstream requests that reached Claude and are not booked yet, in their order."""


def lock_running_turn(turn_id: uuid.UUID, fence: int) -> Turn:
    """Return the turn that runs under this fence, locked. Raise LostTurn if another process has it now."""
    turn = Turn.objects.select_for_update(no_key=True).filter(pk=turn_id, status=Turn.RUNNING, fence=fence).first()
    if turn is None:
        raise LostTurn
    return turn


def finish(*, turn_id: uuid.UUID, fence: int, events: list[Event] | None, ending: Ending) -> Batch | None:
    """End a turn that runs here, in one transaction.

    `events` is the whole transcript; None stands for its committed part. Return the transcript's last events, which are
    committed now, or None if they could not be stored. Raise LostTurn if the turn is not ours any more.
    """
    with transaction.atomic(durable=True):
        return end(lock_running_turn(turn_id, fence), events, ending)


def fail(*, turn_id: uuid.UUID, fence: int, error: Failure) -> None:
    """End a turn that this process has claimed and can't run, with its committed events. As `finish`."""
    with transaction.atomic(durable=True):
        turn = lock_running_turn(turn_id, fence)
        end(turn, None, Ending(Turn.Status.FAILED, error, upstream=unbooked_requests(turn)))


def settle(*, turn_id: uuid.UUID, by: uuid.UUID) -> None:
    """End a turn whose process has died, or is `by` itself, or whose client has not sent tool results.

    Committed events are kept; usage is estimated from them.
    """
    with transaction.atomic(durable=True):
        left = (Turn.abandoned(by), Turn.forgotten())
        locked = (each.select_for_update(no_key=True, skip_locked=True).filter(pk=turn_id).first() for each in left)
        turn = next((each for each in locked if each is not None), None)
        if turn is not None:
            asked_to = turn.cancel_requested_at is not None
            status = Turn.Status.CANCELLED if asked_to else Turn.Status.INTERRUPTED
            end(turn, None, Ending(status, upstream=unbooked_requests(turn)))


def stop(turn: Turn) -> None:
    """End a turn that a process may be running, with its committed events, and notify that process.

    The caller's transaction has locked the turn, which has not ended.
    """
    end(turn, None, Ending(Turn.Status.CANCELLED, upstream=unbooked_requests(turn)))
    notify("cancel", turn.pk)


def unbooked_requests(turn: Turn) -> tuple[ledger.RequestRecord, ...]:
    """Return the records of requests of a turn that ran elsewhere: only that they were sent."""
    return (ledger.RequestRecord(),) * (turn.requests_sent - turn.usage.count())


def end(turn: Turn, events: list[Event] | None, ending: Ending) -> Batch | None:
    """Write everything at the end of a turn. As `finish`, within the caller's transaction."""
    tail = whole_or_least(f"Turn {turn.pk}", lambda: _end_whole(turn, events, ending), lambda: _end_least(turn, ending))
    if turn.has_queue:
        if_possible(f"The queue after turn {turn.pk}", lambda: turn_queue.advance(turn.conversation_id))
    return tail


def _end_whole(turn: Turn, events: list[Event] | None, ending: Ending) -> Batch:
    events = transcripts.committed(turn) if events is None else events
    events = [*events, *received_results(turn, fold(events))]
    answer_storage.store_answers(turn, fold(events), ending.upstream)
    budgets.release(turn.pk)
    turn.status, turn.error = ending.status, ending.error
    seen = turn.position
    whole = Batch.of(str(turn.pk), 0, [*events, *_closing_events(turn)])
    transcripts.replace(turn, whole)
    if turn.first_delta_at is None and any(map(is_delta, events)):
        turn.first_delta_at = Now()
    turn.tool_results, turn.awaiting_since, turn.finished_at = [], None, Now()
    turn.save()
    titles.queue(turn)
    notify("journal", turn.pk)
    return whole.past(seen)


def _closing_events(turn: Turn) -> list[Event]:
    """Return the last events of a transcript, once the turn's messages and usage are stored."""
    return closing_events(turn, list(turn.usage.all()), list(turn.messages.order_by("id").values_list("pk", flat=True)))


def closing_events(turn: Turn, rows: list[Usage], messages: list[uuid.UUID]) -> list[Event]:
    """Return the last events of the transcript of a turn with these ledger rows and messages."""
    error: list[Event] = [{"type": "error", "error": turn.error}] if turn.error else []
    return [
        *error,
        {
            "type": TURN_END,
            "status": turn.status,
            "stop_reason": turn.stop_reason,
            "usage": ledger.usage_sum(rows),
            "cost": ledger.total_cost(rows),
            "messages": [str(id) for id in messages],
        },
    ]


def _end_least(turn: Turn, ending: Ending) -> Batch | None:
    """End a turn with an unusable transcript. Only its row must be written; the rest if possible."""
    turn.refresh_from_db()
    if_possible(f"The usage of turn {turn.pk}", lambda: _book_estimates(turn, ending.upstream))
    if_possible(f"What is held for turn {turn.pk}", lambda: budgets.release(turn.pk))
    turn.status, turn.error = Turn.Status.FAILED, ending.error or NOT_STORED
    position = turn.position
    tail = if_possible(
        f"The end of the transcript of turn {turn.pk}", lambda: transcripts.close(turn, _closing_events(turn))
    )
    turn.position = tail.end if tail else position
    turn.tool_results, turn.awaiting_since, turn.finished_at = [], None, Now()
    turn.save(update_fields=["status", "error", "position", "tool_results", "awaiting_since", "finished_at"])
    notify("journal", turn.pk)
    return tail


def _book_estimates(turn: Turn, upstream: tuple[ledger.RequestRecord, ...]) -> None:
    """Add a ledger row for each of these requests, estimated from the request and the transcript's length."""
    asked = whole_or_least(
        f"An estimate of what turn {turn.pk} asked",
        lambda: ledger.unanswered_request(turn_requests.request_of_turn(turn, [], list)).usage["input_tokens"],
        lambda: math.ceil(len(turn.question.text) / ledger.CHARACTERS_PER_TOKEN),
    )
    said = math.ceil(turn.position / ledger.CHARACTERS_PER_TOKEN)
    for number, known in enumerate(upstream):
        output = said if number == 0 else 0
        answer = Folded("assistant", usage={"input_tokens": asked, "output_tokens": output})
        ledger.book(ledger.ledger_row(user=turn.user, answer=answer, model=turn.model, upstream=known, turn=turn))
