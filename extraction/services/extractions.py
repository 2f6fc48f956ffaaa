"""The life of an extraction: created, claimed, released, stopped, ended."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from conversations.content.sources import attachments_in
from conversations.content.transcript import Batch
from conversations.contract.error_types import Failure
from conversations.contract.extraction_types import Evidence, Problem
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Block
from conversations.models import User
from conversations.services.best_effort import if_possible
from conversations.services.billing import budgets
from conversations.services.files import attachments
from conversations.services.notices import notify
from extraction.documents.sources import Source as Text
from extraction.models import Extraction, SchemaVersion, Source
from extraction.services import item_states, source_texts, transcripts
from extraction.services.answers import book_lost

LOST: Failure = {"type": "api_error", "message": "The process that ran this extraction died."}
CLAIMS_LIMIT = 100
"""How often an extraction is restarted before it fails: it may be the cause of its processes' deaths."""


@dataclass(frozen=True)
class Spec:
    """The validated request for an extraction."""

    schema: SchemaVersion
    content: Sequence[Block]
    """Content blocks as `attachments.store_sources` gives them."""
    model: str
    sources: Sequence[Text] = ()
    """The text of each content block, if it was read already; otherwise the extraction's process reads it."""
    max_tokens: int | None = None
    max_attempts: int = 2
    wants_evidence: bool = True
    metadata: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The end of an extraction."""

    status: str
    data: object = None
    problems: list[Problem] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    error: Failure | None = None


def create(
    *,
    user: User,
    spec: Spec,
    key: str | None = None,
    digest: str = "",
    mode: str = Extraction.Mode.LIVE,
    resumes: bool = False,
) -> tuple[Extraction, bool]:
    """Return the queued extraction, and whether it is new: a retry with the same key returns the existing one.

    `digest` is that of the request. The caller has it run: by `engine.run("extraction", id)` once the transaction is
    committed, or by `extraction.work.finish(id)` in a worker's job. Raise IdempotencyMismatch if the key was used with
    another body, NotFound if an attachment was deleted.
    """
    twins = Extraction.objects.filter(owner=user, idempotency_key=key)
    try:
        with transaction.atomic():
            known = twins.first() if key is not None else None
            if known:
                return known.asked_for_by(digest), False
            asked = {"idempotency_key": key, "request_digest": digest, "mode": mode, "resumes": resumes}
            return store(user, spec, **asked), True
    except IntegrityError as error:  # somebody with the same key was faster: the row that won is there now
        if "one_extraction_per_key" not in str(error):
            raise
        return twins.get().asked_for_by(digest), False


def store(owner: User, spec: Spec, **fields: object) -> Extraction:
    """Store a new extraction of a user with its sources, and return it; `fields` are set, too.

    Within the caller's transaction. Raises NotFound where an attachment is gone.
    """
    content = list(spec.content)
    attachments.lock_attachments(owner=owner, blocks=content)
    extraction = Extraction(
        owner=owner,
        schema=spec.schema,
        content=content,
        model=spec.model,
        max_tokens=spec.max_tokens,
        max_attempts=spec.max_attempts,
        wants_evidence=spec.wants_evidence,
        metadata=spec.metadata,
        **fields,
    )
    extraction.save(force_insert=True)
    source_texts.store(extraction, spec.sources)
    Source.objects.bulk_create(Source(extraction=extraction, attachment_id=id) for id in attachments_in(content))
    return extraction


def has_text(content: Sequence[Block]) -> bool:
    """Return whether content has text, in which evidence can be verified."""
    return any(block["type"] != "image" for block in content)


def claim(*, id: uuid.UUID, holder: uuid.UUID) -> Extraction | None:
    """Claim a queued extraction for a process; return None if another one was faster, or it was cancelled."""
    with transaction.atomic(durable=True):
        claimed = Extraction.claim(id, holder)
        return Extraction.objects.select_related("owner", "schema").get(pk=id) if claimed else None


def put_back(*, extraction: Extraction) -> None:
    """Release an extraction that runs here: it is queued again, with its answers so far.

    Raises LostExtraction where it is not ours any more.
    """
    with transaction.atomic(durable=True):
        _put_back(extraction.locked_as_ours())


def _put_back(extraction: Extraction) -> None:
    # A request without an answer yet is sent again at the same place, and booked once, by the answer to come.
    budgets.release(extraction.pk)
    extraction.status, extraction.holder = Extraction.QUEUED, None
    extraction.save(update_fields=["status", "holder"])
    item_states.queue_item_of(extraction)


def cancel(*, user: User, id: uuid.UUID | str) -> Extraction:
    """Ask for an extraction to be stopped; a queued one ends at once. Raise NotFound.

    An ended one stays unchanged.
    """
    with transaction.atomic(durable=True):
        Extraction.objects.get_visible(user, id)
        extraction = Extraction.objects.select_for_update(no_key=True).get(pk=id)
        if extraction.status == Extraction.QUEUED:
            end(extraction, Outcome(Extraction.Status.CANCELLED))
        elif not extraction.ended and extraction.cancel_requested_at is None:
            extraction.cancel_requested_at = Now()
            extraction.save(update_fields=["cancel_requested_at"])
            notify("cancel", extraction.pk)
    return extraction


def finish(*, extraction: Extraction, outcome: Outcome, events: list[Event] | None = None) -> Batch:
    """End an extraction that runs here; return its whole transcript.

    `events` is the transcript so far, if this process has it. Raise LostExtraction if the extraction is not ours any
    more.
    """
    with transaction.atomic(durable=True):
        return end(extraction.locked_as_ours(), outcome, events)


def settle(*, id: uuid.UUID, by: uuid.UUID) -> None:
    """Queue or end an extraction whose process has died, or is `by` itself; its answers are kept."""
    with transaction.atomic(durable=True):
        extraction = Extraction.abandoned(by).select_for_update(no_key=True, skip_locked=True).filter(pk=id).first()
        if extraction is None:
            return
        if extraction.resumes and extraction.cancel_requested_at is None and extraction.fence < CLAIMS_LIMIT:
            _put_back(extraction)
        else:
            _settle(extraction)
            end(extraction, Outcome(Extraction.Status.FAILED, error=LOST))


def stop(extraction: Extraction) -> None:
    """End an extraction that a process may be running, if it has not ended, and book unbooked requests.

    The caller's transaction has locked the row.
    """
    _settle(extraction)
    if not extraction.ended:
        end(extraction, Outcome(Extraction.Status.CANCELLED))
        notify("cancel", extraction.pk)


def _settle(extraction: Extraction) -> None:
    """Book an extraction's unbooked requests, and release its holds, as far as its row permits."""
    if_possible(f"The usage of extraction {extraction.pk}", lambda: book_lost(extraction))
    if_possible(f"What is held for extraction {extraction.pk}", lambda: budgets.release(extraction.pk))


def end(extraction: Extraction, outcome: Outcome, events: list[Event] | None = None) -> Batch:
    """End an extraction that the caller's transaction has locked; return its whole transcript."""
    if_possible(f"What is held for extraction {extraction.pk}", lambda: budgets.release(extraction.pk))
    extraction.status = outcome.status
    extraction.data = outcome.data
    extraction.problems = outcome.problems
    extraction.evidence = outcome.evidence
    extraction.error = outcome.error
    extraction.finished_at = Now()
    whole = transcripts.close(extraction, events)
    extraction.save()
    item_states.end_item_of(extraction)
    notify("extraction", extraction.pk)
    return whole
