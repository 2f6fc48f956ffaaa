"""The reasons of a difference in cost: number of requests, models, tokens, and cost per token. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from conversations.admin.review.totals import Sums

CENT = Decimal("0.01")
WORTH_TELLING = Decimal("0.1")
"""The share of the largest reason from which on another reason is mentioned, too."""
PLACES = 12
"""Decimal places of the ledger's amounts."""
DIGITS = 60
"""Significant digits of the computation: the parts may be far larger than their sum."""


@dataclass(frozen=True)
class Effects:
    """The parts of a difference in US dollars, which add up to it exactly."""

    requests: Decimal
    """There were more or fewer requests: these at what a request cost on average before."""
    models: Decimal
    """The requests went to other models: these at what a request to each cost before."""
    tokens: Decimal
    """A request to the same model had more or fewer tokens: these at what a token cost before."""
    prices: Decimal
    """A token of the same model cost more or less: by its price, or by what it was (input, output, cached)."""

    @property
    def told(self) -> list[tuple[str, Decimal]]:
        """Return the significant reasons, the largest first, each with its part of the difference."""
        found = sorted(self._named(), key=lambda each: -abs(each[1]))
        least = max(abs(found[0][1]) * WORTH_TELLING, CENT / 1000) if found else CENT
        return [(words, part) for words, part in found if abs(part) >= least]

    def _named(self) -> list[tuple[str, Decimal]]:
        words = {
            "requests": ("more requests", "fewer requests"),
            "models": ("dearer models", "cheaper models"),
            "tokens": ("more tokens a request", "fewer tokens a request"),
            "prices": ("a higher cost per token", "a lower cost per token"),
        }
        parts = {name: getattr(self, name) for name in words}
        return [(words[name][part < 0], part) for name, part in parts.items() if part]


def effects(before: Mapping[str, Sums], now: Mapping[str, Sums]) -> Effects:
    """Return the reasons of the difference between the sums by model of two periods.

    If there were no requests before, or are none now, the whole difference is due to their number.
    """
    sums_before, sums_now = sum(before.values(), Sums()), sum(now.values(), Sums())
    difference = sums_now.cost - sums_before.cost
    if sums_before.requests <= 0 or sums_now.requests <= 0:
        return Effects(difference, Decimal(0), Decimal(0), Decimal(0))
    usual = Fraction(sums_before.cost) / sums_before.requests
    models = tokens = Fraction(0)
    for name in before.keys() | now.keys():
        was, here = before.get(name, Sums()), now.get(name, Sums())
        models += _each(was, here) * here.requests
        tokens += _by_tokens(was, here)
    with localcontext(prec=DIGITS):
        by_requests = _rounded(usual * (sums_now.requests - sums_before.requests))
        by_models = _rounded(models - usual * sums_now.requests)
        by_tokens = _rounded(tokens)
        return Effects(by_requests, by_models, by_tokens, difference - by_requests - by_models - by_tokens)


def _each(was: Sums, here: Sums) -> Fraction:
    """Return the previous cost of a request to a model; if there were none, the present one."""
    known = was if was.requests > 0 else here
    return Fraction(known.cost) / known.requests if known.requests else Fraction(0)


def _by_tokens(was: Sums, here: Sums) -> Fraction:
    """Return the difference by the number of tokens of a model's requests, at the previous cost per token."""
    if min(was.requests, here.requests, was.tokens) <= 0:
        return Fraction(0)
    more = Fraction(here.tokens) - Fraction(was.tokens) / was.requests * here.requests
    return more * Fraction(was.cost) / was.tokens


def _rounded(amount: Fraction) -> Decimal:
    """Return an amount rounded to the ledger's decimal places."""
    return Decimal(round(amount * 10**PLACES)) / 10**PLACES
