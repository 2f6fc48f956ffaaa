"""Claude's usage object is read into token counts by class, which are priced by rates that can be shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.claude import pricing
from conversations.claude.pricing import (
    PLAIN,
    Rates,
    ServiceTerms,
    TokenCounts,
    counts,
    decimal_string,
    is_readable,
    multipliers,
    priced_request,
    service_terms,
    with_missing_rates,
)

USAGE: dict[str, Any] = {
    "input_tokens": 1,
    "output_tokens": 20,
    "cache_read_input_tokens": 300,
    "cache_creation_input_tokens": 9000,
    "cache_creation": {"ephemeral_5m_input_tokens": 4000, "ephemeral_1h_input_tokens": 5000},
    "server_tool_use": {"web_search_requests": 6, "web_fetch_requests": 7},
    "service_tier": "batch",
    "speed": "fast",
    "inference_geo": "us",
}


def test_each_class_is_read_from_its_place() -> None:
    assert counts(USAGE) == TokenCounts(1, 20, 300, 4000, 5000, 6)
    assert counts(USAGE).prompt == 9301


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({}, TokenCounts()),
        ({"input_tokens": None, "output_tokens": None, "server_tool_use": None}, TokenCounts()),
        ({"cache_creation_input_tokens": 9}, TokenCounts(cache_write_5m_tokens=9)),
        (
            {"cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_5m_input_tokens": 2}},
            TokenCounts(cache_write_5m_tokens=9),
        ),
        (
            {"cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 4}},
            TokenCounts(cache_write_5m_tokens=5, cache_write_1h_tokens=4),
        ),
        (
            {"cache_creation_input_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 4}},
            TokenCounts(cache_write_1h_tokens=4),
        ),
        ({"cache_creation": 5, "server_tool_use": "none"}, TokenCounts()),
        ({"input_tokens": [1], "output_tokens": -1}, TokenCounts()),
    ],
    ids=[
        "nothing",
        "nulls",
        "writes that are not split",
        "a split that is short of the total",
        "a split that names the hour only",
        "a total that is short of the split",
        "details that are none",
        "counts that are none",
    ],
)
def test_what_is_not_said_is_nothing(usage: Any, expected: TokenCounts) -> None:
    """Cache writes without a duration are those for five minutes (claude-api.md 4.2)."""
    assert counts(usage) == expected


LIMITS = [0, 1, pricing.MOST]


@pytest.mark.parametrize("number", LIMITS)
@pytest.mark.parametrize("form", [int, float, str], ids=lambda form: form.__name__)
def test_a_count_is_read_in_each_form_of_a_number(number: int, form: Any) -> None:
    given = f"{number:.0f}" if form is str else form(number)
    assert pricing.as_count(given) == number


@pytest.mark.parametrize(
    "value", [-1, pricing.MOST + 1, 1.5, float("inf"), float("nan"), "", "-1", "1.0", "٣", " 1", "1" * 11, True, None]
)
def test_what_is_no_count_is_none(value: object) -> None:
    assert pricing.as_count(value) is None


@pytest.mark.parametrize(
    ("change", "readable"),
    [
        ({}, True),
        ({"cache_read_input_tokens": None}, True),
        ({"cache_creation": None, "server_tool_use": None, "output_tokens_details": None}, True),
        ({"output_tokens_details": {"thinking_tokens": 3}}, True),
        ({"something_else": "any"}, True),
        ({"input_tokens": None}, False),
        ({"output_tokens": "many"}, False),
        ({"cache_read_input_tokens": -1}, False),
        ({"cache_creation": {"ephemeral_1h_input_tokens": "many"}}, False),
        ({"server_tool_use": {"web_search_requests": 1.5}}, False),
        ({"cache_creation": [5]}, False),
        ({"output_tokens_details": 5}, False),
        ({"server_tool_use": 5}, False),
        ({"deeper": {"still": {"odd_tokens": "x"}}}, False),
        ({"deeper": {"still": {"odd_requests": "x"}}}, False),
    ],
)
def test_usage_is_readable_where_each_of_its_counts_is(change: dict[str, Any], readable: bool) -> None:
    assert is_readable({**USAGE, **change}) is readable


@pytest.mark.parametrize("missing", ["input_tokens", "output_tokens"])
def test_usage_without_input_or_output_is_not_readable(missing: str) -> None:
    assert not is_readable({name: value for name, value in USAGE.items() if name != missing})


@pytest.mark.parametrize(
    ("usage", "terms"),
    [
        (USAGE, ServiceTerms("batch", "fast", "us")),
        ({}, PLAIN),
        ({"service_tier": None, "speed": None, "inference_geo": 5}, PLAIN),
        ({"service_tier": "t" * 51, "inference_geo": "u\0s"}, ServiceTerms("t" * 50, "standard", "us")),
        ({"speed": ""}, PLAIN),
    ],
    ids=["all", "nothing", "nothing that is a word", "words that no column takes", "an empty word"],
)
def test_the_terms_are_words_that_can_be_stored(usage: Any, terms: ServiceTerms) -> None:
    assert service_terms(usage) == terms
    assert terms.batch == (terms.service_tier == "batch")


@pytest.mark.parametrize(
    ("model", "dearer"),
    [
        ("claude-opus-4-5", False),
        ("claude-opus-4-6", True),
        ("claude-opus-4.6", True),
        ("claude-opus-5", True),
        ("claude-opus-4-20250514", False),
        ("claude-opus-4-5-20251101", False),
        ("claude-opus-4-10", True),
        ("claude-3-opus", False),
        ("llama", False),
    ],
)
def test_a_place_costs_more_from_version_4_6_on(model: str, dearer: bool) -> None:
    assert multipliers(model, ServiceTerms(inference_geo="us")) == ({"us": Decimal("1.1")} if dearer else {})


@pytest.mark.parametrize("place", ["", "global", "eu"])
def test_no_other_place_costs_more(place: str) -> None:
    assert multipliers("claude-opus-5", ServiceTerms(inference_geo=place)) == {}


RATES = Rates(
    {
        "input": Decimal(1),
        "output": Decimal(10),
        "cache_read": Decimal(100),
        "cache_write_5m": Decimal(1000),
        "cache_write_1h": Decimal(10_000),
        "web_search": Decimal(7),
    },
    "a list",
)


def test_a_cost_is_each_count_by_the_rate_of_its_class() -> None:
    million = TokenCounts(10**6, 10**6, 10**6, 10**6, 10**6, 1000)
    assert priced_request("llama", million, RATES).cost == 11_111 + 7
    assert priced_request("llama", million, RATES, ServiceTerms("batch")).cost == Decimal("5555.5") + 7


@pytest.mark.parametrize(("includes", "cost"), [("", 1), ("batch", 2), ("fast", Decimal("0.5"))])
def test_what_rates_include_is_not_multiplied_again(includes: str, cost: Decimal) -> None:
    rates = Rates(RATES.per_class, "a list", includes)
    request = priced_request("llama", TokenCounts(1_000_000), rates, ServiceTerms("batch", "fast"))
    assert request.cost == cost
    assert request.shown().get("includes") == (includes or None)


def test_what_is_shown_names_the_rules_where_they_were_used() -> None:
    plain = priced_request("llama", TokenCounts(1), RATES).shown()
    assert plain == {"source": "a list", **{name: str(rate) for name, rate in RATES.per_class.items()}}
    fast = priced_request("llama", TokenCounts(1), RATES, ServiceTerms(speed="fast")).shown()
    assert fast == {**plain, "multipliers": {"fast": "2"}, "multipliers_source": pricing.RULES}


def test_a_list_without_searches_charges_none() -> None:
    tokens_only = Rates({name: rate for name, rate in RATES.per_class.items() if name != "web_search"}, "a list")
    assert priced_request("llama", TokenCounts(web_search_requests=9), tokens_only).cost == 0


@pytest.mark.parametrize(
    ("given", "read", "five_minutes", "hour"),
    [({}, 1, 1, 1), ({"cache_write_5m": 3}, 1, 3, 3), ({"cache_write_1h": 4}, 1, 1, 4), ({"cache_read": 0}, 0, 1, 1)],
)
def test_a_class_without_a_price_is_billed_as_its_next(given: Any, read: int, five_minutes: int, hour: int) -> None:
    filled = with_missing_rates({"input": Decimal(1), "output": Decimal(2), **given})
    assert filled == {
        "input": 1,
        "output": 2,
        "cache_read": read,
        "cache_write_5m": five_minutes,
        "cache_write_1h": hour,
    }


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Decimal("0E-12"), "0"),
        (Decimal("1.500000000000"), "1.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.000000000001"), "0.000000000001"),
        (Decimal("-0.10"), "-0.1"),
        (100, "100"),
    ],
)
def test_dollars_are_shown_without_exponent_and_without_zeros_at_the_end(amount: Decimal, shown: str) -> None:
    assert decimal_string(amount) == shown


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=12))
def test_no_digit_of_an_amount_is_lost(amount: Decimal) -> None:
    shown = decimal_string(amount)
    assert Decimal(shown) == amount
    assert "E" not in shown
    assert not ("." in shown and shown.endswith(("0", ".")))
