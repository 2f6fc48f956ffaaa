"""Importing ended extractions from archives, once, without booking them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from conversations.models import User
from conversations.services.conversation_import import OWN
from extraction.models import Extraction, Review
from extraction.services import extractions, transcripts
from extraction.services.extractions import Outcome, Spec


@dataclass(frozen=True)
class ImportedReview:
    """A decision on an extraction's data; its author is known only if it was the owner."""

    decision: str
    data: object
    comment: str
    by_owner: bool
    created_at: datetime


@dataclass(frozen=True)
class Imported:
    """A validated extraction, and how it ended."""

    origin: str
    spec: Spec
    outcome: Outcome
    reviews: Sequence[ImportedReview] = ()
    times: Mapping[str, datetime | None] = field(default_factory=dict)
    """The times of creation, start and end, by the names of the fields."""


def store(*, owner: User, several: Sequence[Imported]) -> int:
    """Store those extractions that do not exist yet; return their number. Within the caller's transaction.

    Raises NotFound where an attachment is gone meanwhile.
    """
    known = _known(owner, [each.origin for each in several])
    new = {each.origin: each for each in several if each.origin not in known}
    for each in new.values():
        _store(owner, each)
    return len(new)


def _known(owner: User, origins: Sequence[str]) -> set[str]:
    """Return those of the origins that belong to existing extractions of the owner."""
    own = Extraction.objects.filter(owner=owner)
    ids = [origin.removeprefix(OWN) for origin in origins if _is_id(origin.removeprefix(OWN))]
    imported = own.filter(origin__in=origins).values_list("origin", flat=True)
    return {*map(str, imported), *(f"{OWN}{id}" for id in own.filter(pk__in=ids).values_list("pk", flat=True))}


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _store(owner: User, imported: Imported) -> None:
    fields = {"origin": imported.origin, **vars(imported.outcome), **imported.times}
    extraction = extractions.store(owner, imported.spec, **fields)
    transcripts.close(extraction, None)
    extraction.save(update_fields=["position"])
    for each in imported.reviews:
        Review.objects.create(
            extraction=extraction,
            reviewer=owner if each.by_owner else None,
            decision=each.decision,
            data=each.data,
            comment=each.comment,
            created_at=each.created_at,
        )
