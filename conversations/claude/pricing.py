"""What requests cost, by `genai-prices`: kept by others, dated, and with a band of its own for long prompts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import genai_prices

PROVIDER = "anthropic"
SOURCE = f"genai-prices {version('genai-prices')}"


@dataclass(frozen=True)
class TokenCounts:
    """What is billed of a request, in Claude's five classes (claude-api.md 3.3)."""

    input_tokens: int = 0
    """Uncached input only."""
    output_tokens: int = 0
    """With thinking."""
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_search_requests: int = 0


@dataclass(frozen=True)
class Price:
    """The cost of a request in US dollars, unrounded, and the prices that made it."""

    cost: Decimal
    per_class: dict[str, Decimal]
    """US dollars per million tokens, or per thousand web searches."""
    source: str


CLASSES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "web_search": "web_searches_kcount",
}


def counts(usage: dict[str, Any]) -> TokenCounts:
    """The counts in Claude's usage object.

    Streamed, the split of cache writes comes with message_start and may be short of the final total; the rest was
    written for 5 minutes (claude-api.md 4.2).
    """
    written = usage.get("cache_creation_input_tokens") or 0
    hour = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
    return TokenCounts(
        input_tokens=usage.get("input_tokens") or 0,
        output_tokens=usage.get("output_tokens") or 0,
        cache_read_tokens=usage.get("cache_read_input_tokens") or 0,
        cache_write_5m_tokens=max(0, written - hour),
        cache_write_1h_tokens=hour,
        web_search_requests=(usage.get("server_tool_use") or {}).get("web_search_requests") or 0,
    )


def price(model: str, counted: TokenCounts, at: datetime) -> Price | None:
    """What a request cost at that time; None for a model whose price is not known, which is not the same as free."""
    written = counted.cache_write_5m_tokens + counted.cache_write_1h_tokens
    usage = genai_prices.Usage(
        # Theirs include what was cached; Claude's do not.
        input_tokens=counted.input_tokens + counted.cache_read_tokens + written,
        output_tokens=counted.output_tokens,
        cache_read_tokens=counted.cache_read_tokens,
        cache_write_tokens=written,
        cache_write_1h_tokens=counted.cache_write_1h_tokens,
        web_searches=counted.web_search_requests,
    )
    try:
        found = genai_prices.calc_price(usage, model, provider_id=PROVIDER, genai_request_timestamp=at)
    except LookupError:
        return None
    return Price(found.total_price, _per_class(found, usage), SOURCE)


def _per_class(found: Any, usage: genai_prices.Usage) -> dict[str, Decimal]:
    prices = {name: getattr(found.model_price, field, None) for name, field in CLASSES.items()}
    return {name: _of_band(value, usage.input_tokens) for name, value in prices.items() if value is not None}


def _of_band(value: Any, input_tokens: Any) -> Decimal:
    """The price itself, or that of the band in which the prompt falls."""
    if isinstance(value, Decimal):
        return value
    band: Decimal = value.base
    for tier in value.tiers:
        if input_tokens > tier.start:
            band = tier.price
    return band
