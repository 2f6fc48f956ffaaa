"""Every token is priced once, at the list's price of its day."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.claude import catalogue, pricing, published_prices
from conversations.claude.pricing import PLAIN, ServiceTerms, TokenCounts
from conversations.content.folding import fold
from tests import ledger_rows, streams

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MILLION = 1_000_000
FAST, BATCH, US = ServiceTerms(speed="fast"), ServiceTerms(service_tier="batch"), ServiceTerms(inference_geo="us")

tokens = st.integers(0, 10**9)
counts = st.builds(TokenCounts, tokens, tokens, tokens, tokens, tokens, st.integers(0, 1000))
terms = st.builds(
    ServiceTerms,
    st.sampled_from(["", "standard", "priority", "batch"]),
    st.sampled_from(["standard", "fast"]),
    st.sampled_from(["", "us", "global", "not_available"]),
)
listed = [
    model.id
    for model in catalogue.all_models()
    if published_prices.published_rates(model.id, TokenCounts(), NOW, PLAIN)
]
models = st.sampled_from(listed)
days = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


def price(model: str, counted: TokenCounts, at: datetime = NOW, served: ServiceTerms = PLAIN) -> pricing.PricedRequest:
    rates = published_prices.published_rates(model, counted, at, served)
    assert rates is not None
    return pricing.priced_request(model, counted, rates, served)


def told(path: Path) -> Any:
    """Return the model and the usage of a recording, computed from the events alone."""
    events = streams.events_in(path)
    response: Any = {"model": events[0]["message"]["model"], "usage": dict(events[0]["message"]["usage"])}
    for event in events:
        if event["type"] == "message_delta":
            response["usage"].update({key: n for key, n in (event.get("usage") or {}).items() if n is not None})
    return response


RECORDINGS = [path for path in streams.WHOLE if streams.stops(path) and path.stem != "fast_in_the_us"]
"""The terms of the standard price: the library has no multipliers for speed and location."""


@pytest.mark.parametrize("recording", RECORDINGS, ids=streams.ids(RECORDINGS))
def test_a_recordings_cost_is_its_usage_times_the_list(database: str, recording: Path) -> None:
    [answer] = fold(streams.events_in(recording))
    row, response = ledger_rows.booked(answer), told(recording)
    # Claude's usage object, parsed and priced by the library itself.
    extracted = genai_prices.extract_usage(response, provider_id="anthropic")
    assert row.cost == extracted.calc_price(genai_request_timestamp=row.created_at).total_price
    assert row.raw == json.loads(json.dumps(answer.usage))
    assert row.input_tokens == response["usage"]["input_tokens"]
    assert row.output_tokens == response["usage"]["output_tokens"]
    assert row.cache_read_tokens == (response["usage"].get("cache_read_input_tokens") or 0)
    written = response["usage"].get("cache_creation_input_tokens") or 0
    assert row.cache_write_5m_tokens + row.cache_write_1h_tokens == written


def test_most_models_are_listed() -> None:
    assert len(listed) >= 15


@given(models, counts, days)
def test_a_standard_request_costs_what_the_list_says(model: str, counted: TokenCounts, day: datetime) -> None:
    written = counted.cache_write_5m_tokens + counted.cache_write_1h_tokens
    theirs = genai_prices.Usage(
        input_tokens=counted.prompt,  # with what was cached; Claude's are without
        output_tokens=counted.output_tokens,
        cache_read_tokens=counted.cache_read_tokens,
        cache_write_tokens=written,
        cache_write_1h_tokens=counted.cache_write_1h_tokens,
        web_searches=counted.web_search_requests,
    )
    known = genai_prices.calc_price(theirs, model, provider_id="anthropic", genai_request_timestamp=day)
    assert price(model, counted, day).cost == known.total_price


@given(models, counts, days, terms)
def test_a_cost_is_the_sum_over_the_classes(
    model: str, counted: TokenCounts, day: datetime, served: ServiceTerms
) -> None:
    """It is computed from the fields of the row alone."""
    found = price(model, counted, day, served)
    shown = json.loads(json.dumps(found.shown()))
    cost = (
        counted.input_tokens * Decimal(shown["input"])
        + counted.output_tokens * Decimal(shown["output"])
        + counted.cache_read_tokens * Decimal(shown["cache_read"])
        + counted.cache_write_5m_tokens * Decimal(shown["cache_write_5m"])
        + counted.cache_write_1h_tokens * Decimal(shown["cache_write_1h"])
    ) / MILLION
    for factor in shown.get("multipliers", {}).values():
        cost *= Decimal(factor)
    cost += counted.web_search_requests * Decimal(shown.get("web_search", 0)) / 1000
    assert found.cost == cost
    assert found.cost == found.cost.quantize(Decimal("1e-12")), "the column would round it"


@given(models, counts, days, terms)
def test_fast_batched_and_local_requests_are_multiplied_once(
    model: str, counted: TokenCounts, day: datetime, served: ServiceTerms
) -> None:
    """Whether or not the list has prices of its own for them."""
    counted = TokenCounts(*(*list(vars(counted).values())[:5], 0))
    factors = pricing.multipliers(model, served)
    expected = price(model, counted, day).cost
    for factor in factors.values():
        expected *= factor
    assert price(model, counted, day, served).cost == expected


def test_the_factors_are_anthropics() -> None:
    def factor(model: str, served: ServiceTerms) -> Decimal:
        counted = TokenCounts(1000, 1000, 1000, 1000, 1000)
        return price(model, counted, NOW, served).cost / price(model, counted).cost

    assert factor("claude-opus-5-5", FAST) == 2
    assert factor("claude-opus-5-5", BATCH) == Decimal("0.5")
    assert factor("claude-opus-5-5", US) == Decimal("1.1")
    assert factor("claude-opus-5-5", ServiceTerms(speed="fast", inference_geo="us")) == Decimal("2.2")
    assert factor("claude-sonnet-4-6", ServiceTerms(service_tier="batch", inference_geo="us")) == Decimal("0.55")
    assert factor("claude-fable-5", ServiceTerms("priority", "standard", "global")) == 1


@pytest.mark.parametrize(
    ("model", "dearer"),
    [
        ("claude-opus-4-6", True),
        ("claude-haiku-5-5", True),
        ("claude-fable-5", True),
        ("claude-haiku-4-5-20251001", False),
        ("claude-sonnet-4-20250514", False),
        ("claude-3-7-sonnet-20250219", False),
    ],
)
def test_the_us_cost_more_from_4_6_on(model: str, dearer: bool) -> None:
    counted = TokenCounts(1000)
    assert (price(model, counted, NOW, US).cost > price(model, counted).cost) == dearer


def test_searches_cost_the_same_however_they_are_served() -> None:
    searches = TokenCounts(web_search_requests=7)
    for served in (PLAIN, FAST, BATCH, US):
        assert price("claude-opus-5-5", searches, NOW, served).cost == Decimal("0.07")


@pytest.mark.parametrize("inside", ["input_tokens", "cache_read_tokens", "cache_write_5m_tokens"])
def test_haiku_5_5_has_a_band_for_long_prompts(inside: str) -> None:
    """The whole request is more expensive, and cached tokens count towards the limit."""
    short = price("claude-haiku-5-5", TokenCounts(**{inside: 100_000}, output_tokens=10))
    long = price("claude-haiku-5-5", TokenCounts(**{inside: 100_001}, output_tokens=10))
    assert {name: str(value) for name, value in short.rates.per_class.items() if name != "web_search"} == {
        "input": "0.1",
        "output": "0.5",
        "cache_read": "0.01",
        "cache_write_5m": "0.125",
        "cache_write_1h": "0.2",
    }
    for name in pricing.CLASSES:
        assert long.rates.per_class[name] == 5 * short.rates.per_class[name]
    per_token = short.rates.per_class[inside.removesuffix("_tokens")] * 5
    assert long.cost == (100_001 * per_token + 10 * Decimal("2.5")) / MILLION


def test_the_price_is_that_of_the_day() -> None:
    """Sonnet 4.6 had a higher price for long prompts until 2026-03-13."""
    counted = TokenCounts(300_000)
    before = price("claude-sonnet-4-6", counted, datetime(2026, 3, 12, 23, 59, tzinfo=UTC))
    after = price("claude-sonnet-4-6", counted, datetime(2026, 3, 13, tzinfo=UTC))
    assert [str(found.rates.per_class["input"]) for found in (before, after)] == ["6", "3"]


def test_a_batch_was_half_the_price_before_the_list_knew_it() -> None:
    counted = TokenCounts(1000, 1000)
    before = price("claude-opus-5", counted, datetime(2026, 10, 13, tzinfo=UTC), BATCH)
    after = price("claude-opus-5", counted, datetime(2026, 10, 14, tzinfo=UTC), BATCH)
    assert before.cost == after.cost == Decimal("0.015")
    assert ("multipliers" in before.shown(), "multipliers" in after.shown()) == (True, False)


def test_an_unknown_models_cost_is_null(database: str) -> None:
    row = ledger_rows.booked(ledger_rows.answer(input_tokens=5, output_tokens=5), "some-local-model")
    assert (row.cost, row.prices) == (None, {})
