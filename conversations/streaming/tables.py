"""The tables of the transcripts of one kind of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conversations.content.transcript import decoded_events
from conversations.contract.transcript_events import Event
from conversations.models import Turn


@dataclass(frozen=True)
class TranscriptTables:
    """The tables of one kind of work and of its transcripts' pieces.

    The table of the work has the columns of `Leased`, and `position`; that of the pieces is like
    `conversations.models.Piece`.
    """

    kind: str
    """The kind of work, which is also the name of the field in its events that has its id."""
    work: str
    pieces: str
    column: str
    """The column of the pieces' table that has the work's id."""
    terminal: frozenset[str]
    """The states in which the work has ended."""
    first_delta: bool = False
    """Whether the work's table has the time of the first delta."""
    decoded: Callable[[str], list[Event]] = decoded_events
    """Parses the JSON of a piece."""


TURN_TABLES = TranscriptTables(
    kind="turn",
    work="conversations_turn",
    pieces="conversations_journal",
    column="turn_id",
    terminal=Turn.TERMINAL,
    first_delta=True,
)
