"""The results of a batch's items, as the files of results have them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from conversations.claude.pricing import decimal_string
from conversations.contract.extraction_types import ReviewShown
from conversations.json_types import JSON
from conversations.services import ledger
from extraction.models import Extraction, Item
from extraction.results.columns import Layout
from extraction.results.result import Result

AT_ONCE = 500  # items that are read at once


def with_data(items: QuerySet[Item]) -> QuerySet[Item]:
    """Return items with what their results are made of."""
    needed = ("extraction__reviews__reviewer", "extraction__attempts__answers__usage__corrections")
    return items.select_related("extraction").prefetch_related(*needed).defer("content")


def result_of(item: Item) -> Result:
    """Return what became of an item. Its query comes from `with_data`."""
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
    """Return the data that counts: as it was corrected, where it was."""
    newest = next(iter(extraction.reviews.all()), None)
    corrected = newest is not None and newest.decision == newest.Decision.CORRECTED
    data: JSON = newest.data if newest is not None and corrected else extraction.data
    return data


def review_of(extraction: Extraction) -> ReviewShown | None:
    """Return the newest decision on an extraction; None where there is none yet."""
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


def read(batch: uuid.UUID, after: int) -> Sequence[Item]:
    """Return the next items of a batch in their order, AT_ONCE at most."""
    return list(with_data(Item.objects.filter(batch=batch, number__gt=after).order_by("number"))[:AT_ONCE])


def in_parts(batch: uuid.UUID) -> Iterator[list[Result]]:
    """Yield the results of all items of a batch."""
    last = -1
    while items := read(batch, last):
        yield [result_of(item) for item in items]
        last = items[-1].number


def layout_of(batch: uuid.UUID) -> Layout:
    """Return the tables that the results of a batch come to."""
    layout = Layout()
    for part in in_parts(batch):
        for result in part:
            layout.add(result.data)
    return layout
