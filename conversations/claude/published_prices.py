"""Looking up Anthropic's published prices in `genai-prices`.

The list is maintained by others, and dated. It has price bands for long prompts, and for some models separate prices
for fast and batched requests. It is loaded on first use, since that takes 0.25 s.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from conversations.claude import pricing
from conversations.claude.pricing import Rates, ServiceTerms, TokenCounts

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, TieredPrices

PROVIDER = "anthropic"
SOURCE = f"genai-prices {version('genai-prices')}"

# The list's names for prices of non-standard requests.
CONTEXTS = {pricing.FAST: {"speed": "fast"}, pricing.BATCH: {"processing": "batch"}}


def published_rates(model: str, counted: TokenCounts, at: datetime, served: ServiceTerms) -> Rates | None:
    """Return the rates of a request made `at` that time, in the band of its prompt; None for an unknown model."""
    minute = at.replace(second=0, microsecond=0)  # no price changes within a minute
    try:
        standard = _listed(model, minute, "")
    except LookupError:
        return None
    for name in pricing.multipliers(model, served):
        special = _listed(model, minute, name)
        if special != standard:
            return Rates(_per_class(special, counted.prompt), SOURCE, name)
    return Rates(_per_class(standard, counted.prompt), SOURCE)


@lru_cache(maxsize=1000)
def _listed(model: str, at: datetime, terms: str) -> ModelPrice:
    """Return the prices of a model at a time, for requests on these terms, if the list distinguishes them.

    Cached, since a look-up in the list costs as much as a statement. Raise LookupError for an unknown model.
    """
    import genai_prices  # here: every process imports this module, and few price anything

    found = genai_prices.calc_price(
        genai_prices.Usage(),
        model,
        provider_id=PROVIDER,
        genai_request_timestamp=at,
        price_context=CONTEXTS.get(terms, {}),
    )
    return found.model_price


def _per_class(prices: ModelPrice, prompt: int) -> dict[str, Decimal]:
    names = {**{name: key for name, (_, key) in pricing.CLASSES.items()}, pricing.WEB_SEARCH: "web_searches_kcount"}
    found = {name: getattr(prices, key, None) for name, key in names.items()}
    return pricing.with_missing_rates(
        {name: _of_band(value, prompt) for name, value in found.items() if value is not None}
    )


def _of_band(value: Decimal | TieredPrices, prompt: int) -> Decimal:
    """Return the price, or that of the prompt's band."""
    if isinstance(value, Decimal):
        return value
    band: Decimal = value.base
    for tier in value.tiers:
        if prompt > tier.start:
            band = tier.price
    return band
