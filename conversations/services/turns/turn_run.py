"""Running a turn up to its end: claiming it, its requests, and waiting for client tools."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models.functions import Now

from conversations.content.folding import Folded, fold
from conversations.content.transcript import Batch
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Request
from conversations.models import LostTurn, Turn
from conversations.services.billing import budgets
from conversations.services.billing.ledger import RequestRecord
from conversations.services.notices import notify
from conversations.services.turns import answer_storage, budget_holds, transcripts, turn_requests
from conversations.services.turns.client_tools import open_calls, received_results
from conversations.services.turns.turn_end import Ending, end, lock_running_turn


def claim(*, turn_id: uuid.UUID, holder: uuid.UUID) -> Turn | None:
    """Claim a queued turn for a process. Return None if another one was faster, or it was cancelled meanwhile."""
    with transaction.atomic(durable=True):
        if not Turn.claim(turn_id, holder):
            return None
        return Turn.objects.select_related("user", "pending_question").get(pk=turn_id)


def requeue(*, turn_id: uuid.UUID, holder: uuid.UUID) -> bool:
    """Queue a turn that was stored as running here, if its first request was not sent; return whether it was queued."""
    with transaction.atomic(durable=True):
        unsent = Turn.objects.filter(pk=turn_id, holder=holder, status=Turn.RUNNING, fence=1, position__lte=1)
        return bool(unsent.update(status=Turn.QUEUED, holder=None, requests_sent=0))


def next_request(*, turn: Turn, events: list[Event]) -> Request:
    """Return the turn's next Messages request, after these events, with references to its files."""
    return turn_requests.request_of_turn(turn, fold(events))


def begin_request(*, turn: Turn, number: int, events: list[Event], request: Request) -> Request:
    """Record that the turn's `number`th request is about to be sent, after these events; return its final form.

    If this process dies before the answer, the request is booked all the same. The transaction holds locks that others
    wait for, so it does nothing slow: the request is complete, and its maximal cost is known. The turn's row is locked
    last, since everybody's group commits wait for it. Raise LostTurn if the turn is not ours, BudgetExceeded if a
    budget has not enough left.
    """
    bound = budget_holds.limited_bound(turn, fold(events)) if number > 1 else None
    with transaction.atomic(durable=True):
        if bound is not None:
            budget_holds.hold_for_request_of_turn(turn, number, bound)
        ours = Turn.objects.filter(pk=turn.pk, fence=turn.fence, status=Turn.RUNNING)
        if not ours.update(requests_sent=number):
            raise LostTurn
    return {**request, "max_tokens": turn.settings["max_tokens"]}


def suspend(*, turn_id: uuid.UUID, fence: int, events: list[Event], upstream: tuple[RequestRecord, ...]) -> str:
    """Have a turn wait for its client's tools, without a holder; return its new status.

    It is queued again if its results are already there, and ended if it was asked to stop meanwhile. Raise LostTurn if
    it is not ours any more.
    """
    with transaction.atomic(durable=True):
        turn = lock_running_turn(turn_id, fence)
        if turn.cancel_requested_at is not None:
            end(turn, events, Ending(Turn.Status.CANCELLED, upstream=upstream))
            return turn.status
        folded = fold(events)
        answer_storage.store_answers(turn, folded, upstream, whole=False)
        budgets.release(turn.pk)
        transcripts.replace(turn, Batch.of(str(turn.pk), 0, events))
        turn.status, turn.holder, turn.awaiting_since = Turn.Status.AWAITING_TOOLS, None, Now()
        resume_if_answered(turn, folded)
        turn.save()
        notify("journal", turn.pk)
        return turn.status


def resume_if_answered(turn: Turn, folded: list[Folded]) -> None:
    """Queue a turn that awaits tools, if all results have arrived. Its transcript folds to `folded`.

    Within the caller's transaction, which saves the turn and notifies others.
    """
    results = received_results(turn, folded)
    if len(results) < len(open_calls(turn, folded)):
        return
    transcripts.add(turn, results)
    turn.status, turn.tool_results, turn.awaiting_since = Turn.QUEUED, [], None
