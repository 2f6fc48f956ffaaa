"""Running an extraction in this process: send its requests, store each answer, and end it."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from typing import TYPE_CHECKING

from django.db import DatabaseError

from conversations.content.folding import Folded, fold
from conversations.content.transcript import Batch
from conversations.contract.error_types import Failure
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Request
from conversations.database import persistently
from conversations.errors import BudgetExceeded, ClaudeError, ColloquyError
from conversations.models import LostTurn
from conversations.running.upstream import UpstreamRequest
from conversations.running.work_runner import CANCELLED, Stopped, StopSignal, shielded
from conversations.services.billing.ledger import RequestRecord
from extraction import checks, reading
from extraction.extracting.state import Ask, Extracting
from extraction.extracting.telling import Telling
from extraction.models import Answer, Extraction, LostExtraction
from extraction.services import answers, extractions, schemas, transcripts
from extraction.services.extractions import Outcome
from extraction.services.transcripts import TABLES

if TYPE_CHECKING:
    from conversations.running.engine import Engine
    from conversations.streaming.journal import Journal
    from conversations.streaming.live import LiveTranscript

logger = logging.getLogger(__name__)

AT_ONCE = 4  # concurrent requests of one extraction
HELD_LIMIT = 600.0  # seconds for which an item of a batch waits for a budget
HELD_PAUSE = 0.5  # seconds between checks
FORMAT = re.compile("output_config|output_format|schema|grammar|structured", re.IGNORECASE)
"""Words in an error message that refuses a schema; there is no error code for it (claude-api.md 7)."""
INTERNAL_ERROR: Failure = {
    "type": "api_error",
    "message": "The platform could not run this extraction; its log says why.",
}


class Extractions:
    """The extractions that this process runs."""

    name = "extraction"
    tables = TABLES
    to_cancel = staticmethod(Extraction.to_cancel)
    abandoned = staticmethod(Extraction.abandoned_ids)
    waiting = staticmethod(Extraction.waiting)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.at_stop += [checks.close, reading.close]

    def settle(self, id: uuid.UUID, process: uuid.UUID) -> None:
        """Queue or end an extraction whose process has died."""
        extractions.settle(id=id, by=process)

    async def run(self, id: uuid.UUID, stop: StopSignal) -> None:
        """Claim an extraction, run it, and end it."""
        extraction = await persistently(extractions.claim, id=id, holder=self._engine.process)
        if extraction is None:
            return
        journal = self._engine.stream(self.name).journal
        live = journal.open(id, extraction.fence, await persistently(transcripts.written, extraction))
        try:
            await self._claimed(extraction, journal, live, stop)
        except (LostExtraction, LostTurn):
            logger.warning("Extraction %s was lost to another process", id)
        finally:
            journal.close(live)

    async def _claimed(self, extraction: Extraction, journal: Journal, live: LiveTranscript, stop: StopSignal) -> None:
        outcome = await _outcome(extraction, Telling(extraction, journal, live), stop)
        events = await journal.hand_over(live)
        if outcome is None:
            await persistently(extractions.put_back, extraction=extraction)
            return
        whole = await _finish(extraction, outcome, None if live.failure else events)
        live.show(whole.past(live.position))


async def _finish(extraction: Extraction, outcome: Outcome, events: list[Event] | None) -> Batch:
    finish = extractions.finish
    try:
        return await persistently(finish, extraction=extraction, outcome=outcome, events=events)
    except (ColloquyError, DatabaseError):  # its data can't be stored: it still has to end
        logger.exception("The outcome of extraction %s could not be stored", extraction.pk)
        return await persistently(finish, extraction=extraction, outcome=_failed(INTERNAL_ERROR))


async def _outcome(extraction: Extraction, telling: Telling, stop: StopSignal) -> Outcome | None:
    """Return the outcome of an extraction; None if another process is to continue it."""
    try:
        return await stop.able(_Run(extraction, telling).to_its_end())
    except Stopped as stopped:
        if stopped.reason == CANCELLED:
            return Outcome(Extraction.Status.CANCELLED)
        return None if extraction.resumes else _failed(extractions.LOST)
    except ColloquyError as error:
        return _failed(error.kept())
    except (LostExtraction, LostTurn, asyncio.CancelledError):
        raise
    except Exception:  # any error: the extraction has to end
        logger.exception("Extraction %s failed", extraction.pk)
        return _failed(INTERNAL_ERROR)


def _failed(error: Failure) -> Outcome:
    return Outcome(Extraction.Status.FAILED, error=error)


class _Run:
    """An extraction by live requests to the Messages API."""

    def __init__(self, extraction: Extraction, telling: Telling) -> None:
        self._extraction = extraction
        self._state = Extracting(extraction)
        self._telling = telling

    async def to_its_end(self) -> Outcome:
        """Send requests until none are left; return the outcome."""
        await self._telling.begin()
        await self._state.load()
        while True:
            step = await self._state.next()
            await self._note_attempts()
            if isinstance(step, Outcome):
                return step
            await self._telling.begin_attempt(step[0].place.attempt)
            await self._ask_all(step)

    async def _note_attempts(self) -> None:
        """Store and publish the problems of attempts that were judged since the last time."""
        for number, problems in self._state.ended_attempts.items():
            if self._telling.is_open(number):
                await persistently(answers.note, extraction=self._extraction, number=number, problems=problems)
                await self._telling.end_attempt(number, problems)

    async def _ask_all(self, asks: list[Ask]) -> None:
        """Send the present requests; of those with the same content one is first, and fills Claude's cache.

        Raises the first error, when the other requests have been booked.
        """
        first = {ask.place.part: ask for ask in reversed(asks)}
        if len(first) < len(asks):
            asks = list(first.values())
        places = asyncio.Semaphore(AT_ONCE)

        async def ask(each: Ask) -> None:
            async with places:
                await self._ask(each)

        tasks = [asyncio.create_task(ask(each)) for each in asks]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, ask: Ask) -> None:
        """Send a request, and add the answer; if Claude refuses the format, use instructions from now on."""
        answer = await self._begin(ask)
        try:
            kept = await self._answer(answer, ask)
        except ClaudeError as error:
            if not answer.native or error.upstream_status != 400 or not refuses_format(error.message):
                raise
            version = self._extraction.schema_id
            await persistently(schemas.note_refusal, id=version, model=self._extraction.model)
            self._state.ask_in_words()
        else:
            self._state.take(kept)

    async def _begin(self, ask: Ask) -> Answer:
        """Record a request. An item of a batch waits while a budget is only held, probably by other items."""
        latest = time.monotonic() + HELD_LIMIT
        while True:
            try:
                return await persistently(answers.begin, extraction=self._extraction, place=ask.place, request=ask.body)
            except BudgetExceeded as error:
                if not (error.retryable and self._extraction.resumes and time.monotonic() < latest):
                    raise
            await asyncio.sleep(HELD_PAUSE)

    async def _answer(self, answer: Answer, ask: Ask) -> Answer:
        """Send a request and store the answer; a broken one is stored and booked, too, before its error is raised."""
        events: list[Event] = []
        upstream = UpstreamRequest()
        self._telling.begin_answer(ask)

        async def keep(together: list[Event]) -> None:
            events.extend(together)
            await self._telling.add(ask, together)

        try:
            await upstream.ask(ask.body, keep)
        finally:
            said, known = next(iter(fold(events)), None), upstream.known()
            if known is None:
                await shielded(persistently(answers.forget, extraction=self._extraction, answer=answer))
            else:
                kept = await shielded(self._kept(answer, ask.body, said, known))
        return kept

    async def _kept(self, answer: Answer, request: Request, said: Folded | None, upstream: RequestRecord) -> Answer:
        return await persistently(
            answers.keep, extraction=self._extraction, answer=answer, request=request, said=said, upstream=upstream
        )


def refuses_format(message: str) -> bool:
    """Return whether an error refuses the request's `output_config`: as too complex a schema, or unsupported."""
    return FORMAT.search(message) is not None
