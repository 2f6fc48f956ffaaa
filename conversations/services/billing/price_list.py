"""The prices at a moment: the platform's own, or else the published list's.

A process caches the platform's own prices for ending turns, without notifications of changes: the statement that ends a
turn writes nothing if the prices have changed since (`UNCHANGED`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from django.db.models.expressions import RawSQL

from conversations.claude import pricing, published_prices
from conversations.claude.pricing import PLAIN, Rates, ServiceTerms, TokenCounts
from conversations.models import Price

FINGERPRINT = """
SELECT coalesce(sum(hashtextextended(price::text, 0)), 0)::text FROM conversations_price AS price
"""
UNCHANGED = f"%(prices)s = ({FINGERPRINT})"
"""The condition under which the platform's own prices are those of a fingerprint."""


class OwnPrices(NamedTuple):
    """All of the platform's own prices, of any day, as they were at one moment."""

    prices: Sequence[Price]
    fingerprint: str


def own_prices() -> OwnPrices:
    """Read the platform's own prices, by one statement."""
    fingerprint = RawSQL(f"({FINGERPRINT})", ())  # noqa: S611 - ours
    prices = list(Price.objects.annotate(fingerprint=fingerprint))
    return OwnPrices(prices, prices[0].fingerprint if prices else "0")


class PriceList:
    """The prices of requests at a moment: the platform's `own` prices, or else the published ones."""

    def __init__(self, moment: datetime, own: Sequence[Price]) -> None:
        day = moment.astimezone(UTC).date()
        self.moment = moment
        self._own = [each for each in own if each.valid_from <= day]

    @classmethod
    def at(cls, moment: datetime) -> PriceList:
        """Read the platform's own prices."""
        return cls(moment, list(Price.objects.all()))

    def price(self, model: str, counted: TokenCounts, served: ServiceTerms = PLAIN) -> pricing.PricedRequest | None:
        """Return the cost of a request; None if the model's price is unknown."""
        own = [each for each in self._own if _applies(each, model, counted, served)]
        best = max(own, key=lambda each: _precedence(each, model), default=None)
        rates = _rates(best) if best else published_prices.published_rates(model, counted, self.moment, served)
        return pricing.priced_request(model, counted, rates, served) if rates else None


def _applies(price: Price, model: str, counted: TokenCounts, served: ServiceTerms) -> bool:
    return (
        (price.model == model or fnmatchcase(model, price.model))
        and price.speed in (Price.Speed.STANDARD, served.speed)
        and (not price.above_tokens or counted.prompt > price.above_tokens)
    )


def _precedence(price: Price, model: str) -> tuple[object, ...]:
    exact, fast = price.model == model, price.speed == Price.Speed.FAST
    return (exact, len(price.model), fast, price.above_tokens, price.valid_from, price.pk)


def _rates(price: Price) -> Rates:
    named = {name: getattr(price, name) for name in (*pricing.CLASSES, pricing.WEB_SEARCH)}
    return Rates(
        pricing.with_missing_rates({name: value for name, value in named.items() if value is not None}),
        source=f"override {price.pk}",
        includes=pricing.FAST if price.speed == Price.Speed.FAST else "",
        override=price.pk,
    )
