"""The stored transcript of an extraction: read, and replaced by one piece when it ends."""

from __future__ import annotations

from conversations.content.transcript import Batch
from conversations.contract.transcript_events import Event
from conversations.exact_json import loads
from conversations.streaming.tables import TranscriptTables
from extraction.models import Extraction, ExtractionPiece

TABLES = TranscriptTables(
    kind="extraction",
    work="extraction_extraction",
    pieces="extraction_journal",
    column="extraction_id",
    terminal=Extraction.TERMINAL,
    decoded=loads,
)
START, END = "extraction_start", "extraction_end"


def first_event(extraction: Extraction) -> Event:
    """Return the event with which the transcript of an extraction begins."""
    return {"type": START, "model": extraction.model}


def written(extraction: Extraction) -> list[Event]:
    """Return the stored events of an extraction; none before it first ran."""
    return [event for row in extraction.pieces.order_by("start") for event in row.events]


def close(extraction: Extraction, events: list[Event] | None) -> Batch:
    """Store the whole transcript as one piece, with its last event; return it. The caller saves the extraction.

    Without `events` the stored ones are used. The last event does not contain the result: readers get the extraction's
    present state.
    """
    known = (written(extraction) if events is None else events) or [first_event(extraction)]
    whole = Batch.of(str(extraction.pk), 0, [*known, {"type": END}], TABLES.kind)
    extraction.pieces.all().delete()
    ExtractionPiece.objects.create(extraction=extraction, start=0, end=whole.end, events=whole.events)
    extraction.position = whole.end
    return whole
