"""Reviews of extracted data, which are added beside it and do not change it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from conversations.errors import Conflict, InvalidRequest
from conversations.json_types import JSON
from conversations.models import User
from extraction.models import Extraction, Review

PENDING = "pending"
REVIEWABLE = (Extraction.Status.SUCCEEDED, Extraction.Status.INVALID, Extraction.Status.TRUNCATED)
"""The states in which there is data to review."""


def check(*, extraction: Extraction, decision: str, has_data: bool) -> None:
    """Refuse an impossible decision, by Conflict or InvalidRequest."""
    if extraction.status not in REVIEWABLE:
        raise Conflict(f"There is no data to review: the extraction is {extraction.status}.")
    if decision == Review.Decision.CORRECTED and not has_data:
        raise InvalidRequest.at("data", "A correction needs the complete corrected data.")
    if decision != Review.Decision.CORRECTED and has_data:
        raise InvalidRequest.at("data", f"Only a correction takes data; this is {decision!r}.")


def decide(*, extraction: Extraction, reviewer: User, decision: str, data: JSON = None, comment: str = "") -> Review:
    """Add a validated decision, which counts from now on."""
    with transaction.atomic():
        return Review.objects.create(
            extraction=extraction, reviewer=reviewer, decision=decision, data=data, comment=comment
        )


def decided(rows: QuerySet[Extraction], decision: str) -> QuerySet[Extraction]:
    """Return the extractions whose last decision was this one or, for `PENDING`, that wait for a decision."""
    if decision == PENDING:
        return rows.filter(~Exists(Review.objects.filter(extraction=OuterRef("pk"))), status__in=REVIEWABLE)
    return _decided_as(rows, [decision])


def accepted(rows: QuerySet[Extraction]) -> QuerySet[Extraction]:
    """Return the extractions whose data was last approved or corrected, with their reviews."""
    right = (Review.Decision.APPROVED, Review.Decision.CORRECTED)
    return _decided_as(rows, right).prefetch_related("reviews")


def _decided_as(rows: QuerySet[Extraction], decisions: Iterable[str]) -> QuerySet[Extraction]:
    newest = Review.objects.filter(extraction=OuterRef("pk")).order_by("-id")
    return rows.annotate(decision=Subquery(newest.values("decision")[:1])).filter(decision__in=decisions)
