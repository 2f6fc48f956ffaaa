"""The invariants of a round, checked in the database, at the upstream, and in what the clients received."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from conversations.content.folding import fold
from conversations.content.transcript import cut, merge, span
from conversations.contract.transcript_events import Event
from conversations.models import Message, Piece, Turn, Usage
from conversations.sandbox.received import Received
from tests.resuming import Reader


def violations(
    conversations: list[str], readers: list[Reader], keys: dict[str, set[str]], upstream: Iterable[Received]
) -> Iterator[str]:
    """Yield everything that is wrong. `keys` has, by idempotency key, the turns that clients were told of."""
    turns = list(Turn.objects.filter(conversation_id__in=conversations).select_related("conversation"))
    pieces: defaultdict[uuid.UUID, list[Piece]] = defaultdict(list)
    for piece in Piece.objects.filter(turn__in=turns).order_by("start"):
        pieces[piece.turn_id].append(piece)
    requests = by_conversation(upstream)
    for turn in turns:
        yield from (f"turn {turn.pk} ({turn.status}): {wrong}" for wrong in of_turn(turn, pieces[turn.pk]))
    for conversation in conversations:
        mine = [turn for turn in turns if str(turn.conversation_id) == conversation]
        yield from (f"conversation {conversation}: {wrong}" for wrong in of_upstream(mine, requests[conversation]))
    for key, told in keys.items():
        made = {str(turn.pk) for turn in turns if turn.idempotency_key == key}
        if not told <= made or len(made) > 1:
            yield f"key {key} made {made}, and clients were told {told}"
    transcripts = {str(turn): [event for row in rows for event in row.events] for turn, rows in pieces.items()}
    for reader in readers:
        yield from (f"a reader of turn {reader.turn}: {wrong}" for wrong in of_reader(reader, transcripts[reader.turn]))


def of_turn(turn: Turn, pieces: list[Piece]) -> Iterator[str]:
    """Yield how a turn's row, transcript and messages disagree."""
    if not turn.ended:
        yield "it has not ended"
        return
    if [piece.start for piece in pieces] != [0] or pieces[0].end != turn.position:
        yield f"its pieces are {[(piece.start, piece.end) for piece in pieces]}, its position {turn.position}"
        return
    events = pieces[0].events
    if span(events) != turn.position or events[0]["type"] != "turn_start" or events[-1]["type"] != "turn_end":
        yield "its transcript is not whole"
    if events[-1].get("status") != turn.status:
        yield f"its transcript ends as {events[-1].get('status')}"
    folded = fold(events)
    messages = list(Message.objects.filter(turn=turn).order_by("id"))
    if [(row.role, row.content, row.stop_reason) for row in messages] != [
        (each.role, each.content, each.stop_reason) for each in folded
    ]:
        yield "its messages are not what its transcript folds to"
    if [row.parent_id for row in messages] != [turn.answers_after, *(row.pk for row in messages)][: len(messages)]:
        yield "its messages are no path"
    if turn.status == Turn.Status.COMPLETED and not (folded and folded[-1].stopped):
        yield "it is completed without a message_stop"


def of_upstream(turns: list[Turn], requests: list[Received]) -> Iterator[str]:
    """Yield which requests were sent or booked more than once, or were answered and not booked."""
    rows = Counter(Usage.objects.filter(turn__in=turns).values_list("turn", flat=True))
    begun = sum(turn.requests_sent for turn in turns)
    rounds = Counter(Message.objects.filter(turn__in=turns, role="user").values_list("turn", flat=True))
    if any(turn.requests_sent > 1 + rounds[turn.pk] for turn in turns):
        yield "a turn sent a request twice"
    if len(requests) > begun:
        yield f"{len(requests)} requests came upstream, and {begun} were sent"
    answered = sum(request.status == 200 for request in requests)
    if not answered <= rows.total() <= begun:
        yield f"{answered} requests were answered, {rows.total()} booked, {begun} sent"
    if any(rows[turn.pk] > turn.requests_sent for turn in turns):
        yield "a request is booked twice"
    completed = {turn.pk for turn in turns if turn.status == Turn.Status.COMPLETED}
    if not completed <= set(Usage.objects.filter(turn__in=turns, source="provider").values_list("turn", flat=True)):
        yield "a completed turn is not booked as Claude counts it"


def of_reader(reader: Reader, transcript: list[Event]) -> Iterator[str]:
    """Yield how the events that a reader received differ from the stored transcript."""
    before, _ = cut(transcript, reader.position)
    if merge(reader.seen) != merge(before):
        yield f"what it saw up to {reader.position} is not what is kept"
    if not reader.done:
        yield f"it was left at {reader.position}"


def by_conversation(upstream: Iterable[Received]) -> defaultdict[str, list[Received]]:
    """Group the upstream requests by the conversation that the system prompt names."""
    found: defaultdict[str, list[Received]] = defaultdict(list)
    for request in upstream:
        body: Any = request.body
        if isinstance(body, dict) and isinstance(body.get("system"), str):
            found[body["system"]].append(request)
    return found
