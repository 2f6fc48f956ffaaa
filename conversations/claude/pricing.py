"""Computing the cost of requests from token counts and rates.

If there are no separate rates for fast or batched requests, the standard price is multiplied according to Anthropic's
rules (claude-api.md 10).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import prod

from django.conf import settings

from conversations.json_types import JSONObject

MOST = 10**9  # tokens: more than any request can have
COUNT = re.compile("[0-9]{1,10}")
DETAILS = ("cache_creation", "output_tokens_details", "server_tool_use")
WORD = 50  # characters at most of Claude's words for how it served a request, which have about ten
RULES = "Anthropic's pricing rules of 2026-10-08"


@dataclass(frozen=True)
class TokenCounts:
    """The billed counts of a request, in Claude's five classes (claude-api.md 3.3)."""

    input_tokens: int = 0
    """Input that was neither read from the cache nor written to it."""
    output_tokens: int = 0
    """All output, thinking included."""
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_search_requests: int = 0

    @property
    def prompt(self) -> int:
        """Return the sum of all input tokens, which decides the price band."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens


STANDARD = "standard"
FAST = "fast"
BATCH = "batch"
US = "us"


@dataclass(frozen=True)
class ServiceTerms:
    """How a request was served, in Claude's words; this modifies its price."""

    service_tier: str = ""
    speed: str = STANDARD
    inference_geo: str = ""

    @property
    def batch(self) -> bool:
        """Return whether the request was part of a batch."""
        return self.service_tier == BATCH


PLAIN = ServiceTerms()
BATCHED = ServiceTerms(BATCH)


@dataclass(frozen=True)
class Rates:
    """US dollars per million tokens of each class and per thousand web searches, and the source of these prices."""

    per_class: dict[str, Decimal]
    source: str
    includes: str = ""
    """FAST or BATCH, where they are the prices of such requests."""
    override: uuid.UUID | None = None
    """The id of the platform's own price, if the rates are its."""


@dataclass(frozen=True)
class PricedRequest:
    """The cost of a request in US dollars, unrounded, with its components."""

    cost: Decimal
    rates: Rates
    multipliers: dict[str, Decimal] = field(default_factory=dict)
    """The multiplier of all token prices; searches are not multiplied."""

    def shown(self) -> JSONObject:
        """Return the prices and multipliers from which the cost can be computed again."""
        shown: JSONObject = {"source": self.rates.source}
        shown.update({name: str(value) for name, value in self.rates.per_class.items()})
        if self.rates.includes:
            shown["includes"] = self.rates.includes
        if self.multipliers:
            shown["multipliers"] = {name: str(value) for name, value in self.multipliers.items()}
            shown["multipliers_source"] = RULES
        return shown


# The names of the classes: here, in the counts, and in the price list.
CLASSES = {
    "input": ("input_tokens", "input_mtok"),
    "output": ("output_tokens", "output_mtok"),
    "cache_read": ("cache_read_tokens", "cache_read_mtok"),
    "cache_write_5m": ("cache_write_5m_tokens", "cache_write_mtok"),
    "cache_write_1h": ("cache_write_1h_tokens", "cache_write_1h_mtok"),
}
WEB_SEARCH = "web_search"

# The class whose price applies to a class without a price of its own.
OTHERWISE = {"cache_read": "input", "cache_write_5m": "input", "cache_write_1h": "cache_write_5m"}

# The first version whose location of inference can be chosen, at a surcharge.
FIRST_WITH_GEO = (4, 6)
VERSION = re.compile(r"claude-[a-z]+-(\d+)(?:[-.](\d{1,2})(?!\d))?")


def counts(usage: Mapping[str, object]) -> TokenCounts:
    """Return the counts in Claude's usage object.

    In a stream, the split of cache writes is in message_start only, and its sum may be less than the final total; the
    rest was written for 5 minutes (claude-api.md 4.2).
    """
    written = count(usage, "cache_creation_input_tokens")
    hour = count(usage, "cache_creation", "ephemeral_1h_input_tokens")
    return TokenCounts(
        input_tokens=count(usage, "input_tokens"),
        output_tokens=count(usage, "output_tokens"),
        cache_read_tokens=count(usage, "cache_read_input_tokens"),
        cache_write_5m_tokens=max(0, written - hour),
        cache_write_1h_tokens=hour,
        web_search_requests=count(usage, "server_tool_use", "web_search_requests"),
    )


def count(usage: object, *path: str) -> int:
    """Return a number in Claude's usage object; 0 if it is missing or unreadable, so that any turn is booked."""
    for name in path:
        usage = usage.get(name) if isinstance(usage, dict) else None
    return as_count(usage) or 0


def as_count(value: object) -> int | None:
    """Return a count of tokens or requests as an integer: 12, 12.0 and "12" are accepted.

    None for anything else, and for a number larger than any request can have.
    """
    if (isinstance(value, str) and COUNT.fullmatch(value)) or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    return value if type(value) is int and 0 <= value <= MOST else None


def is_readable(usage: Mapping[str, object]) -> bool:
    """Return whether a usage object has input and output counts, and no unreadable count."""
    needed = [usage.get("input_tokens"), usage.get("output_tokens")]
    details = [usage.get(name) for name in DETAILS]
    fine = all(isinstance(each, dict | None) for each in details)
    return fine and all(as_count(each) is not None for each in [*needed, *counts_in(usage)])


def counts_in(usage: Mapping[str, object]) -> Iterator[object]:
    """Yield the values of a usage object that should be counts, at every depth."""
    for name, value in usage.items():
        if isinstance(value, dict):
            yield from counts_in(value)
        elif value is not None and name.endswith(("_tokens", "_requests")):
            yield value


def service_terms(usage: Mapping[str, object]) -> ServiceTerms:
    """Return the terms in Claude's usage object."""
    return ServiceTerms(_word(usage, "service_tier"), _word(usage, "speed") or STANDARD, _word(usage, "inference_geo"))


def _word(usage: Mapping[str, object], name: str) -> str:
    word = usage.get(name)
    return word.replace("\0", "")[:WORD] if isinstance(word, str) else ""


def priced_request(model: str, counted: TokenCounts, rates: Rates, served: ServiceTerms = PLAIN) -> PricedRequest:
    """Return the cost of a request at these rates, times the multipliers that the rates do not include."""
    factors = {name: factor for name, factor in multipliers(model, served).items() if name != rates.includes}
    return _priced(counted, rates, factors)


def _priced(counted: TokenCounts, rates: Rates, factors: dict[str, Decimal]) -> PricedRequest:
    tokens = sum((getattr(counted, name) * rates.per_class[each] for each, (name, _) in CLASSES.items()), Decimal(0))
    searches = counted.web_search_requests * rates.per_class.get(WEB_SEARCH, Decimal(0))
    return PricedRequest(tokens * prod(factors.values()) / 1_000_000 + searches / 1000, rates, factors)


def multipliers(model: str, served: ServiceTerms) -> dict[str, Decimal]:
    """Return the multipliers of the standard price of all tokens (claude-api.md 10)."""
    factors = {}
    if served.speed == FAST:
        factors[FAST] = Decimal(2)
    if served.batch:
        factors[BATCH] = Decimal("0.5")
    if served.inference_geo == US and _version(model) >= FIRST_WITH_GEO:
        factors[US] = Decimal("1.1")
    return factors


def fallback_price(counted: TokenCounts) -> PricedRequest:
    """Return the assumed cost of an unknown model's request, as a bound; the ledger never books it."""
    input, output = settings.COLLOQUY_FALLBACK_PRICE
    rates = Rates(with_missing_rates({"input": input, "output": output}), source="COLLOQUY_FALLBACK_PRICE")
    return _priced(counted, rates, {})


def _version(model: str) -> tuple[int, int]:
    found = VERSION.match(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def with_missing_rates(prices: dict[str, Decimal]) -> dict[str, Decimal]:
    """Return the prices, with missing ones set to those of another class."""
    for name, other in OTHERWISE.items():
        prices = {name: prices[other], **prices}
    return prices


def decimal_string(amount: Decimal | int) -> str:
    """Return US dollars in the contract's format: unrounded, without an exponent or trailing zeros."""
    return f"{Decimal(amount).normalize():f}"
