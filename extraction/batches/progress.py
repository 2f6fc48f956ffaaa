"""The progress of a batch: counts, cost so far and in the end, and remaining time."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Max, Min, Q, Sum

from conversations import clock
from extraction.models import Batch, Item

LATEST = 200
"""The number of items that ended last, from whose pace the remaining time is estimated."""


@dataclass(frozen=True)
class Progress:
    """The progress of a batch."""

    counts: dict[str, int]
    """Items by status, and `total`."""
    cost: Decimal | None
    """US dollars; None where a price is not known."""
    expected_cost: Decimal | None
    """The estimated final cost in US dollars, at the average cost so far; None until an item has ended."""
    seconds_left: float | None
    """The estimated remaining time; None until it can be estimated."""


def of_batch(batch: Batch) -> Progress:
    """Return the progress of a batch, by the states of its items."""
    rows = batch.items.values("status").annotate(
        count=Count("pk"),
        spent=Sum("cost"),
        paid=Count("pk", filter=Q(cost__gt=0)),
        unpriced=Count("pk", filter=Q(cost=None)),
    )
    found = {row["status"]: row for row in rows.order_by()}
    counts = {status: found[status]["count"] if status in found else 0 for status in Item.Status.values}
    left = sum(count for status, count in counts.items() if status not in Item.TERMINAL)
    spent = sum((row["spent"] or Decimal(0) for row in found.values()), Decimal(0))
    paid = sum(row["paid"] for row in found.values())
    priced = not any(row["unpriced"] for row in found.values())
    return Progress(
        counts={"total": sum(counts.values()), **counts},
        cost=spent if priced else None,
        expected_cost=_expected(spent, paid, left) if priced else None,
        seconds_left=_seconds(batch, left),
    )


def _expected(spent: Decimal, paid: int, left: int) -> Decimal | None:
    if not left:
        return spent
    return spent + spent / paid * left if paid else None


def _seconds(batch: Batch, left: int) -> float | None:
    """Return the remaining time at the pace of the items that ended last."""
    if not left:
        return 0.0
    if batch.status != Batch.Status.RUNNING:
        return None
    latest = Item.objects.filter(batch=batch, finished_at__isnull=False).order_by("-finished_at")[:LATEST]
    ends = Item.objects.filter(pk__in=list(latest.values_list("pk", flat=True))).aggregate(
        count=Count("pk"), first=Min("finished_at"), last=Max("finished_at")
    )
    if not ends["count"]:
        return None
    began = min(ends["first"], batch.created_at) if ends["count"] < LATEST else ends["first"]
    took = (clock.now() - began).total_seconds()
    return round(float(took / ends["count"] * left), 1)
