"""The events of an extraction for its followers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from conversations.content.transcript import SNAPSHOT, string_of
from conversations.contract.extraction_types import Problem
from conversations.contract.transcript_events import Event
from conversations.json_types import JSON
from extraction.extracting.partial_data import PartialData
from extraction.services.transcripts import first_event

if TYPE_CHECKING:
    from conversations.streaming.journal import Journal
    from conversations.streaming.live import LiveTranscript
    from extraction.extracting.state import Ask
    from extraction.models import Extraction

ATTEMPT_START, ATTEMPT_END = "attempt_start", "attempt_end"


class Telling:
    """The transcript of an extraction that runs here, while it is written."""

    def __init__(self, extraction: Extraction, journal: Journal, live: LiveTranscript) -> None:
        self._extraction = extraction
        self._journal = journal
        self._live = live
        self._partial = PartialData()
        events = [event for batch in live.committed for event in batch.events]
        self._begun = bool(events)
        self._open = {event["attempt"] for event in events if event["type"] == ATTEMPT_START}
        self._ended = {event["attempt"] for event in events if event["type"] == ATTEMPT_END}

    async def begin(self) -> None:
        """Add the event that the extraction runs, unless another process has added it."""
        if not self._begun:
            await self._tell(first_event(self._extraction))

    async def begin_attempt(self, number: int) -> None:
        """Add the event that an attempt begins, once for each attempt."""
        if number not in self._open:
            self._open.add(number)
            self._partial = PartialData()
            await self._tell({"type": ATTEMPT_START, "attempt": number})

    def is_open(self, number: int) -> bool:
        """Return whether the end of an attempt is still to be told."""
        return number in self._open and number not in self._ended

    async def end_attempt(self, number: int, problems: list[Problem]) -> None:
        """Add the event with an attempt's problems, after all of its data."""
        self._ended.add(number)
        await self._tell_partial(self._partial.news())
        await self._tell({"type": ATTEMPT_END, "attempt": number, "problems": problems})

    def begin_answer(self, ask: Ask) -> None:
        """Begin an answer, or a continuation."""
        self._partial.begin((ask.place.part, ask.place.group), ask.said)

    async def add(self, ask: Ask, events: Iterable[Event]) -> None:
        """Process events of Claude's, and add events with the partial data."""
        text = "".join(string_of(event) or "" for event in events if _is_text(event))
        if text:
            await self._tell_partial(self._partial.add((ask.place.part, ask.place.group), text))

    async def _tell_partial(self, data: JSON) -> None:
        if data is not None:
            await self._tell({"type": SNAPSHOT, "data": data})

    async def _tell(self, event: Event) -> None:
        await self._journal.append(self._live, [event])


def _is_text(event: Event) -> bool:
    return event["type"] == "content_block_delta" and event["delta"].get("type") == "text_delta"
