"""Sums over rows of the ledger, or of its daily sums."""

from __future__ import annotations

from decimal import Decimal
from operator import add
from typing import Any, NamedTuple, Self, TypeAlias

from django.db.models import DecimalField, Expression, Model, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from conversations.models import Usage

CLASSES = {
    "input_tokens": "Input",
    "output_tokens": "Output",
    "cache_read_tokens": "Cache read",
    "cache_write_5m_tokens": "Cache write, 5 min",
    "cache_write_1h_tokens": "Cache write, 1 h",
}
"""Claude's five classes of tokens, and their labels."""


ValuesRow: TypeAlias = dict[str, Any]
"""A row of a query with `values`: columns and sums by their names."""
ValuesRows: TypeAlias = "QuerySet[Model, ValuesRow]"


class Sums(NamedTuple):
    """Numbers of requests and of tokens by class, and the known cost in US dollars.

    A tuple, since a page adds up thousands of them.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    """How many of the requests have no known price: they are not in the cost, and not free."""

    @classmethod
    def of_row(cls, row: ValuesRow) -> Self:
        """Return the sums in a row that was annotated by `annotated`."""
        return cls(*(row[f"sum_{name}"] for name in cls._fields))

    @classmethod
    def of(cls, rows: QuerySet[Model]) -> Self:
        """Return the sums of rows of the ledger, or of its days."""
        return cls.of_row(rows.order_by().aggregate(**summed(rows)))

    def __add__(self, other: Sums) -> Sums:  # type: ignore[override]
        return Sums(*map(add, self, other))

    @property
    def tokens(self) -> int:
        """Return the tokens of all classes together."""
        return sum(getattr(self, name) for name in CLASSES)

    @property
    def cache_share(self) -> float | None:
        """Return the share of the input that was read from the cache, 0 to 1; None where there was no input."""
        input = self.tokens - self.output_tokens
        return self.cache_read_tokens / input if input else None


def summed(rows: QuerySet[Model]) -> dict[str, Expression]:
    """Return the sums as aggregates, under names that are not columns."""
    nothing = Value(Decimal(0), output_field=DecimalField(max_digits=24, decimal_places=12))
    sums: dict[str, Expression] = {f"sum_{name}": Sum(name, default=0) for name in ("requests", *CLASSES)}
    unpriced = Sum("requests", filter=Q(cost=None), default=0) if rows.model is Usage else Sum("unpriced", default=0)
    return {**sums, "sum_cost": Coalesce(Sum("cost"), nothing), "sum_unpriced": unpriced}
