"""The platform's own prices override the list's, and rows that they have priced stay unchanged."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from config.environment import env_prices
from conversations.claude import pricing
from conversations.claude.pricing import ServiceTerms, TokenCounts
from conversations.models import Price, User
from conversations.services.billing.price_list import PriceList
from tests import ledger_rows
from tests.clients import Api

FIRST = date(2026, 1, 1)
SECOND = date(2026, 7, 1)
MILLION = TokenCounts(1_000_000)


@pytest.fixture
def model(database: str) -> str:
    """Provide the name of a model that is in no price list."""
    return f"own-{uuid.uuid4().hex}"


def own(model: str, input: str, **fields: Any) -> Price:
    return Price.objects.create(**{"model": model, "valid_from": FIRST, "input": input, "output": "50", **fields})


def cost(
    model: str, counted: TokenCounts = MILLION, served: ServiceTerms = pricing.PLAIN, day: date = SECOND
) -> str | None:
    price = PriceList.at(datetime(day.year, day.month, day.day, tzinfo=UTC)).price(model, counted, served)
    return f"{price.cost.normalize():f}" if price else None


def test_a_row_is_booked_at_the_platforms_own_price(model: str) -> None:
    classes = {"cache_read": "1", "cache_write_5m": "12.5", "cache_write_1h": "20", "web_search": "5"}
    price = own(model, "10.0001", **classes)
    used = {
        "input_tokens": 1,
        "output_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 3000,
        "cache_creation": {"ephemeral_1h_input_tokens": 1000},
        "server_tool_use": {"web_search_requests": 2},
    }
    row = ledger_rows.booked(ledger_rows.answer(**used), model)
    tokens = Decimal("10.0001") + 10 * 50 + 100 * 1 + 2000 * Decimal("12.5") + 1000 * 20
    assert row.cost == tokens / 1_000_000 + 2 * Decimal(5) / 1000
    assert row.override == price
    assert row.prices["source"] == f"override {price.pk}"
    assert {name: Decimal(row.prices[name]) for name in classes} == {name: Decimal(n) for name, n in classes.items()}


def test_it_comes_before_the_list(database: str) -> None:
    before = cost("claude-3-opus-20240229")
    price = own("claude-3-opus-*", "1")
    assert (before, cost("claude-3-opus-20240229")) == ("15", "1")
    price.delete()
    assert cost("claude-3-opus-20240229") == before


def test_the_price_of_the_day_is_taken(model: str) -> None:
    own(model, "2", valid_from=SECOND)
    own(model, "1", valid_from=FIRST)
    assert cost(model, day=FIRST - timedelta(days=1)) is None
    assert cost(model, day=SECOND - timedelta(days=1)) == "1"
    assert cost(model, day=SECOND) == "2"
    own(model, "3", valid_from=SECOND)
    assert cost(model) == "3", "of one day the newest"


def test_a_band_is_for_longer_prompts(model: str) -> None:
    own(model, "1")
    own(model, "5", above_tokens=100_000)
    assert cost(model, TokenCounts(100_000)) == "0.1"
    assert cost(model, TokenCounts(50_000, cache_read_tokens=50_001)) == "0.500005"


def test_an_id_comes_before_a_pattern(model: str) -> None:
    own(model[:-1] + "*", "2")
    assert cost(model) == "2"
    own(model, "1")
    own(model[:-2] + "*", "3")
    assert cost(model) == "1"


def test_modifiers_are_of_its_price_too(model: str) -> None:
    own(model, "1")
    assert cost(model, served=ServiceTerms(speed="fast")) == "2"
    assert cost(model, served=ServiceTerms(service_tier="batch")) == "0.5"
    own(model, "3", speed="fast")
    assert cost(model, served=ServiceTerms(speed="fast")) == "3", "fast prices are not doubled"
    assert cost(model) == "1"


def test_classes_without_a_price_are_billed_as_input(model: str) -> None:
    own(model, "2")
    for name in ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"):
        assert cost(model, TokenCounts(**{name: 1_000_000})) == "2"
    own(model, "2", cache_write_5m="3")
    assert cost(model, TokenCounts(cache_write_1h_tokens=1_000_000)) == "3"


def test_the_models_are_shown_with_it(api: Api) -> None:
    price = own("claude-mythos-5-1", "11.5", valid_from=timezone.now().date())
    try:
        shown = {each["id"]: each for each in api.get("models/").json()["results"]}
    finally:
        price.delete()
    assert shown["claude-mythos-5-1"]["prices"]["input"] == "11.5"


@pytest.fixture
def staff(database: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(f"staff-{uuid.uuid4().hex[:8]}"))
    return client


def form(model: str, **changed: str) -> dict[str, str]:
    fields = {"model": model, "speed": "standard", "above_tokens": "0", "valid_from": "2026-01-01", "input": "1"}
    return {**fields, "output": "5", "web_search": "10", "note": "", **changed}


def test_staff_can_add_and_change_prices(staff: Client, model: str) -> None:
    assert staff.post("/admin/conversations/price/add/", form(model)).status_code == 302
    price = Price.objects.get(model=model)
    assert staff.post(f"/admin/conversations/price/{price.pk}/change/", form(model, input="2")).status_code == 302
    assert cost(model) == "2"
    assert staff.get(f"/admin/conversations/price/?q={model}").status_code == 200
    refused = staff.post("/admin/conversations/price/add/", form(model, output="-5"))
    assert refused.status_code == 200
    assert b"greater than or equal to 0" in refused.content


def test_what_has_priced_something_stays(staff: Client, model: str) -> None:
    price = own(model, "1")
    ledger_rows.booked(ledger_rows.answer(input_tokens=1_000_000, output_tokens=0), model)
    path = f"/admin/conversations/price/{price.pk}"
    staff.post(f"{path}/change/", form(model, input="2", note="superseded"))
    assert staff.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": str(price.pk), "post": "yes"}
    staff.post("/admin/conversations/price/", selected)
    price.refresh_from_db()
    assert (price.input, price.note) == (1, "superseded")


def test_an_unknown_model_has_an_assumed_price_for_bounds() -> None:
    counted = TokenCounts(1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000)
    assert [str(price) for price in settings.COLLOQUY_FALLBACK_PRICE] == ["10", "50"]
    assert pricing.fallback_price(counted).cost == 4 * 10 + 50


@pytest.mark.parametrize("value", ["10", "a/b", "1/2/3", "-1/5", "NaN/1"])
def test_an_assumed_price_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("COLLOQUY_FALLBACK_PRICE", value)
    with pytest.raises(ImproperlyConfigured, match="COLLOQUY_FALLBACK_PRICE"):
        env_prices("COLLOQUY_FALLBACK_PRICE", "10/50")
