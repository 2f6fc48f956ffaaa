"""Running an extraction: ask, keep, check, and ask once more with what was wrong."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError

from conversations.claude import catalogue
from conversations.content.folding import Folded, fold, plain_text
from conversations.content.transcript import Event
from conversations.database import persistently
from conversations.errors import ClaudeError, ColloquyError
from conversations.running.storage_threads import in_storage
from conversations.running.upstream import UpstreamRequest
from conversations.running.work_runner import Stopped, StopSignal
from conversations.services import attachments
from conversations.services.ledger import RequestRecord
from extraction import asking, checks, services
from extraction.models import Attempt, Extraction

if TYPE_CHECKING:
    from conversations.running.engine import Engine

logger = logging.getLogger(__name__)

LEAST_TOKENS = 4096  # of output; a chat's default would cut many a list short
TRUNCATED = frozenset({"max_tokens", "model_context_window_exceeded"})
EXPLAINED = 300  # characters of what Claude said when it refused that are told
FORMAT = re.compile("output_config|output_format|schema|grammar|structured", re.IGNORECASE)
"""What a refusal of a schema speaks of; there is no error code for it (claude-api.md 7)."""
INTERNAL_ERROR = {"type": "api_error", "message": "The platform could not run this extraction; its log says why."}

Outcome = dict[str, Any]
"""The arguments of `services.finish`."""


class Extractions:
    """The extractions that this process runs."""

    name = "extraction"
    to_cancel = staticmethod(Extraction.to_cancel)
    abandoned = staticmethod(Extraction.abandoned_ids)
    waiting = staticmethod(Extraction.waiting)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.at_stop.append(checks.close)

    def settle(self, id: uuid.UUID, process: uuid.UUID) -> None:
        """End an extraction that nobody runs any more."""
        services.settle(id=id, by=process)

    async def run(self, id: uuid.UUID, stop: StopSignal) -> None:
        """Claim an extraction, do it, and end it."""
        extraction = await persistently(services.claim, id=id, holder=self._engine.process)
        if extraction is None:
            return
        try:
            outcome = await _outcome(extraction, stop)
            try:
                await persistently(services.finish, extraction=extraction, **outcome)
            except (ColloquyError, DatabaseError):  # its data can't be stored: it still has to end
                logger.exception("The outcome of extraction %s could not be stored", id)
                await persistently(services.finish, extraction=extraction, **_failed(INTERNAL_ERROR))
        except services.LostExtraction:
            logger.warning("Extraction %s was lost to another process", id)


async def _outcome(extraction: Extraction, stop: StopSignal) -> Outcome:
    try:
        return await stop.able(_attempts(extraction))
    except Stopped as stopped:
        return _failed({"type": "api_error", "message": f"The extraction was {stopped.reason}."})
    except ColloquyError as error:
        return _failed(error.kept())
    except (services.LostExtraction, asyncio.CancelledError):
        raise
    except Exception:  # whatever it was, the extraction has to end
        logger.exception("Extraction %s failed", extraction.pk)
        return _failed(INTERNAL_ERROR)


def _failed(error: dict[str, str]) -> Outcome:
    return {"status": Extraction.Status.FAILED, "error": error}


async def _attempts(extraction: Extraction) -> Outcome:
    native = await _native(extraction)
    content = await in_storage(attachments.with_bytes, await persistently(attachments.with_paths, extraction.content))
    earlier: list[asking.Answered] = []
    while True:
        request = asking.request_for(
            model=extraction.model,
            max_tokens=_max_tokens(extraction),
            schema=extraction.schema,
            native=native,
            content=content,
            earlier=earlier,
        )
        number = len(earlier) + 1
        await persistently(services.begin_attempt, extraction=extraction, number=number, request=request)
        try:
            attempt = await _attempt(extraction, number, request)
        except ClaudeError as error:
            if native is None or not _refuses_format(error):
                raise
            native = None  # it was not answered, so that this attempt is still to be made
            continue
        outcome, again = await _judged(extraction, attempt)
        await persistently(services.note, attempt=attempt, problems=outcome["problems"])
        if not again or number == extraction.max_attempts:
            return outcome
        answered = [block for block in attempt.content if block.get("type") == "text" and block["text"].strip()]
        nothing = [{"type": "text", "text": "(nothing)"}]
        earlier.append(asking.Answered(answered or nothing, outcome["problems"]))


async def _native(extraction: Extraction) -> dict[str, Any] | None:
    """Return the schema that Claude is held to, or None where it can only be asked to keep to it."""
    model = catalogue.find(extraction.model)
    cites = any((block.get("citations") or {}).get("enabled") for block in extraction.content)
    if model is None or not model.structured_outputs or cites:
        return None
    return await checks.native(extraction.owner_id, extraction.schema)


def _refuses_format(error: ClaudeError) -> bool:
    """Return whether Claude refused the request for its `output_config`: too complex a schema, or none at all."""
    return error.upstream_status == 400 and FORMAT.search(error.message) is not None


def _max_tokens(extraction: Extraction) -> int:
    known = catalogue.find(extraction.model)
    wanted = extraction.max_tokens or max(LEAST_TOKENS, settings.COLLOQUY_DEFAULT_MAX_TOKENS)
    return min(wanted, known.max_output) if known else wanted


async def _attempt(extraction: Extraction, number: int, request: dict[str, Any]) -> Attempt:
    """Ask Claude and keep the answer; one that was cut is kept and booked too, before its error goes on."""
    events: list[Event] = []
    upstream = UpstreamRequest()

    async def keep(together: list[Event]) -> None:
        events.extend(together)

    try:
        await upstream.ask(request, keep)
    finally:
        answer, known = next(iter(fold(events)), None), upstream.known()
        if known is None:
            await asyncio.shield(persistently(services.forget, extraction=extraction, number=number))
        else:
            attempt = await asyncio.shield(_kept(extraction, number, request, answer, known))
    return attempt


async def _kept(
    extraction: Extraction, number: int, request: dict[str, Any], answer: Folded | None, upstream: RequestRecord
) -> Attempt:
    return await persistently(
        services.keep, extraction=extraction, number=number, request=request, answer=answer, upstream=upstream
    )


async def _judged(extraction: Extraction, attempt: Attempt) -> tuple[Outcome, bool]:
    """Return what an attempt comes to, and whether Claude is worth asking again."""
    if attempt.stop_reason == "refusal":
        said = f" It said: {plain_text(attempt.content)[:EXPLAINED]}" if attempt.content else ""
        return {"status": Extraction.Status.REFUSED, "problems": [_problem(f"Claude refused to answer.{said}")]}, False
    if attempt.stop_reason in TRUNCATED:
        problem = _problem(f"It was cut by {attempt.stop_reason}.")
        return {"status": Extraction.Status.TRUNCATED, "problems": [problem]}, False
    # Blocks of text are parts of one: Claude cuts it wherever a citation begins or ends.
    text = "".join(block["text"] for block in attempt.content if block.get("type") == "text" and block.get("text"))
    judgement = await checks.judged(extraction.owner_id, extraction.schema, text)
    status = Extraction.Status.INVALID if judgement.problems else Extraction.Status.SUCCEEDED
    outcome = {"status": status, "data": judgement.data, "problems": judgement.problems}
    return outcome, bool(judgement.problems) and not judgement.final


def _problem(message: str) -> dict[str, str]:
    return {"path": "", "message": message}
