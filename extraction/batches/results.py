"""The results of a batch's items, for files of results."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Prefetch, QuerySet

from conversations.claude.pricing import decimal_string
from conversations.contract.extraction_types import ReviewShown
from conversations.json_types import JSON
from conversations.services.billing import ledger
from extraction.models import Answer, Extraction, Item
from extraction.results.columns import Layout
from extraction.results.result import Result

AT_ONCE = 100  # items that are in memory at once


def with_data(items: QuerySet[Item]) -> QuerySet[Item]:
    """Return items with the data for their results."""
    answers = Prefetch("extraction__attempts__answers", Answer.objects.defer("content"))
    needed = ("extraction__reviews__reviewer", answers, "extraction__attempts__answers__usage__corrections")
    return items.select_related("extraction").prefetch_related(*needed).defer("content", "extraction__content")


def result_of(item: Item) -> Result:
    """Return the result of an item. Its query comes from `with_data`."""
    extraction = item.extraction
    return Result(
        key=item.key,
        status=item.status,
        data=final_data(extraction) if extraction else None,
        problems=extraction.problems if extraction else [],
        error=item.error,
        evidence=extraction.evidence if extraction else [],
        review=review_of(extraction) if extraction else None,
        usage=ledger.usage_sum(extraction.ledger_rows) if extraction else {},
        cost=None if item.cost is None else decimal_string(item.cost),
        extraction=str(extraction.pk) if extraction else None,
    )


def final_data(extraction: Extraction) -> JSON:
    """Return the final data: corrected, if there is a correction."""
    newest = next(iter(extraction.reviews.all()), None)
    corrected = newest is not None and newest.decision == newest.Decision.CORRECTED
    data: JSON = newest.data if newest is not None and corrected else extraction.data
    return data


def review_of(extraction: Extraction) -> ReviewShown | None:
    """Return the newest review of an extraction, or None."""
    newest = next(iter(extraction.reviews.all()), None)
    if newest is None:
        return None
    decision: Any = newest.decision  # one of the choices of its column
    return {
        "decision": decision,
        "comment": newest.comment,
        "reviewer": newest.reviewer.get_username() if newest.reviewer else None,
        "created_at": newest.created_at.isoformat().replace("+00:00", "Z"),
    }


def part(batch: uuid.UUID, after: int) -> tuple[list[Result], int]:
    """Return the results of the next items of a batch, AT_ONCE at most, and the number of the last of them."""
    items = list(with_data(Item.objects.filter(batch=batch, number__gt=after).order_by("number"))[:AT_ONCE])
    return [result_of(item) for item in items], items[-1].number if items else after


def layout_of(batch: uuid.UUID) -> Layout:
    """Return the tables for the results of a batch."""
    layout = Layout()
    items = Item.objects.filter(batch=batch).order_by("number").select_related("extraction")
    needed = items.prefetch_related("extraction__reviews").only("number", "extraction__data")
    found = list(needed[:AT_ONCE])
    while found:
        for item in found:
            layout.add(final_data(item.extraction) if item.extraction else None)
        found = list(needed.filter(number__gt=found[-1].number)[:AT_ONCE])
    return layout
