"""Ending plain turns: computed in memory and written by one statement.

A turn is plain if it ran without interruption in this process, with one request and an answer without tool calls. Most
turns are. All others, and those that the statement rejects, are ended by `services.turn_end`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from conversations.claude import pricing
from conversations.content.folding import Folded, fold
from conversations.content.transcript import Batch, is_delta, span
from conversations.contract.transcript_events import Event
from conversations.database import Parameters
from conversations.models import Message, Turn, Usage
from conversations.services.billing import ledger
from conversations.services.billing.price_list import OwnPrices, PriceList
from conversations.services.turns import answer_storage, end_statement, titles
from conversations.services.turns.turn_end import Ending, closing_events

LONGEST = 50_000  # positions of a transcript that is folded on the event loop; a longer one would hold others up


@dataclass(frozen=True)
class PlainEnding:
    """The data to write at the end of a plain turn, and the events for its readers afterwards."""

    parameters: Parameters
    tail: Batch


def plain_ending(
    turn: Turn, events: list[Event], ending: Ending, *, seen: int, at: datetime, own: OwnPrices
) -> PlainEnding | None:
    """Return the ending of a turn that ran here without interruption; None if it is not plain.

    `events` is the whole transcript, of which `seen` positions are committed; `at` is the database's time; `own` are
    the platform's own prices, as far as they are known. Set the turn's new fields.
    """
    folded = fold(events) if span(events) <= LONGEST else None
    if folded is None or not _is_plain(turn, folded, ending):
        return None
    answer = folded[0] if folded else None
    message = answer_storage.message_of(turn, answer, turn.answers_after) if answer else None
    row = _row(turn, answer, ending, PriceList(at, own.prices)) if answer else None
    turn.status, turn.error = ending.status, ending.error
    if answer:
        turn.stop_reason, turn.stop_sequence = answer.stop_reason, answer.stop_sequence
        turn.stop_details = answer.stop_details
    last = closing_events(turn, [row] if row else [], [message.pk] if message else [])
    whole = Batch.of(str(turn.pk), 0, [*events, *last])
    parameters = end_statement.end_values(
        turn,
        seen=seen,
        whole=whole,
        message=message,
        row=row,
        titling=titles.wanted(turn),
        prices=own.fingerprint,
        delta=any(map(is_delta, events)),
    )
    return PlainEnding(parameters, whole.past(seen))


def _is_plain(turn: Turn, folded: list[Folded], ending: Ending) -> bool:
    answered = len(folded) == len(ending.upstream) <= 1 and all(each.role == Message.Role.ASSISTANT for each in folded)
    calls = any(block.get("type") == "tool_use" for each in folded for block in each.content)
    # An unreported input would be estimated from the request, which is not available here.
    told = all(pricing.as_count(each.usage.get("input_tokens")) is not None for each in folded)
    return answered and told and not calls and ending.status in Turn.TERMINAL


def _row(turn: Turn, answer: Folded, ending: Ending, prices: PriceList) -> Usage:
    return ledger.ledger_row(
        user=turn.user,
        answer=answer,
        model=turn.model,
        upstream=ending.upstream[0],
        turn=turn,
        prices=prices,
    )
