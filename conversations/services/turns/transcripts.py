"""The stored transcript of a turn: read, added to, and replaced by one piece when the turn ends."""

from __future__ import annotations

import logging

from conversations.content.transcript import TURN_START, Batch
from conversations.contract.transcript_events import Event
from conversations.models import Piece, Turn

logger = logging.getLogger(__name__)


def turn_start(turn: Turn) -> Event:
    """Return the first event of a turn's transcript."""
    return {
        "type": TURN_START,
        "conversation": str(turn.conversation_id),
        "model": turn.model,
        "user_message": str(turn.user_message_id) if turn.user_message_id else None,
    }


def written(turn: Turn) -> list[Event]:
    """Return the stored events of a turn; none before it first ran."""
    return [event for row in turn.pieces.order_by("start") for event in row.events]


def committed(turn: Turn) -> list[Event]:
    """Return the transcript as clients can have seen it; for a turn that never ran, its first event.

    Raises ValueError where a piece of it could not be sent to a reader.
    """
    rows = list(turn.pieces.order_by("start"))
    for row in rows:
        if not _is_readable(row):
            raise ValueError(f"The piece of the transcript from {row.start} to {row.end} can't be read.")
    return [event for row in rows for event in row.events] or [turn_start(turn)]


def replace(turn: Turn, whole: Batch) -> None:
    """Store the whole transcript as one piece in place of all others. The caller saves the turn."""
    turn.pieces.all().delete()
    _insert(turn, whole)


def add(turn: Turn, events: list[Event]) -> Batch:
    """Store more of the transcript of a turn that no process runs; return it. The caller saves the turn."""
    batch = Batch.of(str(turn.pk), turn.position, events)
    _insert(turn, batch)
    return batch


def close(turn: Turn, tail: list[Event]) -> Batch:
    """Store the last events of a transcript that may be damaged; return them. The caller saves the turn.

    Readable pieces stay unchanged. From the first unreadable one on, pieces are removed: they would break every reader
    for ever.
    """
    rows = list(turn.pieces.order_by("start"))
    readable = next((at for at, row in enumerate(rows) if not _is_readable(row)), len(rows))
    turn.position = rows[readable - 1].end if readable else 0
    damaged = turn.pieces.filter(start__gte=turn.position)
    if removed := damaged.delete()[0]:
        logger.error("Turn %s: %d unreadable pieces were removed after %d", turn.pk, removed, turn.position)
    return add(turn, [*([] if readable else [turn_start(turn)]), *tail])


def _insert(turn: Turn, batch: Batch) -> None:
    Piece.objects.create(turn=turn, start=batch.start, end=batch.end, events=batch.events)
    turn.position = batch.end


def _is_readable(row: Piece) -> bool:
    """Return whether a piece can be sent to readers, who then arrive at its end."""
    try:
        frames = Batch(str(row.turn_id), row.start, row.end, row.events).frames
    except Exception:  # noqa: BLE001 - whatever is wrong with it
        return False
    return bool(frames) and frames[-1].position == row.end and all(isinstance(each.type, str) for each in frames)
