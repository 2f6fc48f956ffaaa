"""Bars that show how much of a budget is used."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.template.loader import render_to_string

from conversations.claude.pricing import decimal_string
from conversations.models import Budget


@dataclass(frozen=True)
class Meter:
    """The bar of a budget, which must have `spent_now` (services/billing/budgets.py)."""

    budget: Budget

    @property
    def spent(self) -> float:
        """Return the percentage of the limit that is spent, 100 at most."""
        return self._percent(self.spent_now)

    @property
    def held(self) -> float:
        """Return the percentage of the limit that is held, at most the rest of the bar."""
        return min(self._percent(self.budget.held), round(100 - self.spent, 1))

    @property
    def full(self) -> bool:
        """Return whether nothing of the budget is left."""
        return self.spent_now + self.budget.held >= self.budget.limit

    @property
    def words(self) -> str:
        """Return the percentages in words."""
        used = self.spent_now + self.budget.held
        share = f"{100 * used / self.budget.limit:.0f} %" if self.budget.limit else "all"
        return f"{share} of ${self.budget.limit:,.2f}"

    @property
    def title(self) -> str:
        """Return the amounts spent and held, unrounded."""
        return f"{decimal_string(self.spent_now)} USD spent, {decimal_string(self.budget.held)} USD held"

    @property
    def spent_now(self) -> Decimal:
        """Return the spending of the present period, in US dollars."""
        now: Decimal = self.budget.spent_now  # type: ignore[attr-defined]
        return now

    def _percent(self, amount: Decimal) -> float:
        limit = self.budget.limit
        return round(float(min(max(100 * amount / limit, Decimal(0)), Decimal(100))), 1) if limit else 100.0

    def html(self) -> str:
        """Return the bar as HTML."""
        return render_to_string("conversations/meter.html", {"meter": self})
