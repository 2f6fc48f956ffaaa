"""Wrong bookings are corrected by additional ledger rows, and every sum includes them."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from conversations.claude import pricing
from conversations.errors import Conflict, InvalidRequest
from conversations.models import Price, Turn, Usage, User
from conversations.services.billing import ledger
from tests import ledger_rows
from tests.admin import pages
from tests.clients import Api

RIGHT = {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 30, "service_tier": "batch"}
COST = (10 * 3 + 20 * 15 + 30 * Decimal("0.3")) / 2 / 1_000_000  # of Sonnet 4.6, batched


@pytest.fixture
def row(api: Api) -> Usage:
    """Provide the ledger row of a turn."""
    return Usage.objects.get(turn=api.ask("Hello [[sandbox: web_search]]")["id"])


def total(api: Api, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get("usage/", params=query).json()["total"]
    return found


def test_a_row_that_is_taken_back_leaves_nothing(api: Api, row: Usage) -> None:
    before = Usage.objects.values().get(pk=row.pk)
    [added] = ledger.correct(row=row, reason="not ours")
    assert Usage.objects.values().get(pk=row.pk) == before
    assert (added.corrects, added.requests, added.reason) == (row, -1, "not ours")
    assert (added.cost, added.web_search_requests) == (-(row.cost or 0), -row.web_search_requests)
    assert total(api) == {**dict.fromkeys(total(api), 0), "cost": "0"}


def test_what_is_right_is_booked_in_its_place(api: Api, row: Usage) -> None:
    ledger.correct(row=row, reason="Claude's own report", usage=RIGHT)
    expected = {
        "input_tokens": 10,
        "output_tokens": 20,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 30,
        "requests": 1,
    }
    cost = pricing.decimal_string(COST)
    assert total(api) == {**expected, "unpriced_requests": 0, "cost": cost}
    turn = api.get(f"turns/{row.turn_id}/").json()
    assert (turn["usage"], turn["cost"]) == (expected, cost)
    day = row.created_at.date().isoformat()
    [sums] = api.get("usage/?group_by=day,model,conversation").json()["results"]
    assert (sums["day"], sums["conversation"], sums["cost"]) == (day, str(row.conversation_id), cost)
    records = api.get("usage/records/").json()["results"]
    assert [each["requests"] for each in records] == [1, -1, 1]
    assert {each["created_at"] for each in records} == {records[0]["created_at"]}
    assert (records[0]["service_tier"], records[0]["batch"], records[0]["corrects"]) == ("batch", True, str(row.pk))


def test_a_correction_can_be_corrected(api: Api, row: Usage) -> None:
    _, wrong = ledger.correct(row=row, reason="wrong", usage={**RIGHT, "input_tokens": 7})
    ledger.correct(row=wrong, reason="right", usage=RIGHT)
    assert total(api)["cost"] == pricing.decimal_string(COST)
    ledger.correct(row=row, reason="not ours after all")
    assert total(api)["requests"] == 0
    with pytest.raises(Conflict):
        ledger.correct(row=row, reason="once more")


def test_the_admins_totals_follow(api: Api, row: Usage) -> None:
    ledger.correct(row=row, reason="Claude's own report", usage=RIGHT)
    staff = Client()
    staff.force_login(User.objects.create_superuser(f"staff-{uuid.uuid4().hex[:8]}"))
    page = staff.get(f"/admin/conversations/usage/?user={api.user.pk}").content.decode()
    for name, number in {"requests": "1", "tokens": "60", "cost": f"${COST:.6f}"}.items():
        assert pages.total(page, name) == number
    assert 'data-total="estimated"' not in page


def test_an_extractions_sums_follow(api: Api) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    id = api.post("extraction/extractions/?wait=true", {"schema": schema, "content": "Jane"}).json()["id"]
    ledger.correct(row=Usage.objects.get(user=api.user), reason="Claude's own report", usage=RIGHT)
    shown = api.get(f"extraction/extractions/{id}/").json()
    assert shown["cost"] == pricing.decimal_string(COST)
    assert shown["usage"]["requests"] == shown["attempts"][0]["usage"]["requests"] == 1
    assert shown["usage"]["input_tokens"] == shown["attempts"][0]["usage"]["input_tokens"] == 10


def test_an_estimate_that_is_set_right_is_none_any_more(api: Api) -> None:
    turn = api.ended(api.begin("[[sandbox: words=30; cut_after=3]]")["id"])
    row = Usage.objects.get(turn=turn["id"])
    assert row.source == "estimate"
    _, right = ledger.correct(row=row, reason="Claude's own report", usage=RIGHT)
    assert right.source == "provider"
    assert sum(each.requests for each in Usage.objects.filter(user=api.user, source="estimate")) == 0


def test_a_price_that_comes_late_can_be_applied(database: str) -> None:
    model = f"own-{uuid.uuid4().hex}"
    row = ledger_rows.booked(ledger_rows.answer(input_tokens=100, output_tokens=0), model)
    assert row.cost is None
    price = Price.objects.create(model=model, valid_from=row.created_at.date(), input=2, output=2)
    call_command("correct", str(row.pk), "--again", "--reason", "its price is known now", stdout=StringIO())
    rows = list(Usage.objects.filter(user=row.user_id))
    assert ledger.total_cost(rows) == "0.0002"
    assert ledger.usage_sum(rows)["input_tokens"] == 100
    assert rows[0].override == price


def test_a_request_is_not_taken_back_twice_at_once(database: str) -> None:
    row = ledger_rows.booked(ledger_rows.answer(input_tokens=5, output_tokens=5), "claude-sonnet-4-6")

    def correct(_: int) -> bool:
        try:
            ledger.correct(row=row, reason="twice")
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(correct, range(4))) == [False, False, False, True]
    assert sum(each.requests for each in Usage.objects.filter(user=row.user_id)) == 0


def test_a_turn_that_goes_on_is_not_corrected(api: Api, row: Usage) -> None:
    Turn.objects.filter(usage=row).update(status=Turn.Status.AWAITING_TOOLS)
    with pytest.raises(Conflict, match="not ended"):
        ledger.correct(row=row, reason="too early")
    assert Usage.objects.filter(user=api.user).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"input_token": 5, "output_tokens": 5},
        {"input_tokens": "5", "output_tokens": 5},
        {"input_tokens": -5, "output_tokens": 5},
        {"input_tokens": 5, "output_tokens": 5, "cache_creation_input_tokens": "many"},
        {"input_tokens": 5, "output_tokens": 5, "server_tool_use": {"web_search_requests": "1"}},
        {"input_tokens": 5, "output_tokens": 10**30},
    ],
)
def test_what_is_no_usage_is_refused(database: str, wrong: dict[str, Any]) -> None:
    row = ledger_rows.booked(ledger_rows.answer(input_tokens=5, output_tokens=5), "claude-sonnet-4-6")
    with pytest.raises(InvalidRequest):
        ledger.correct(row=row, reason="wrong", usage=wrong)
    assert Usage.objects.filter(user=row.user_id).count() == 1


def test_the_command_shows_what_it_adds(row: Usage) -> None:
    output = StringIO()
    right = json.dumps({"input_tokens": 0, "output_tokens": 1})
    call_command("correct", str(row.pk), "--usage", right, "--model", "claude-opus-5-5", "--reason", "x", stdout=output)
    taken_back, booked = Usage.objects.filter(corrects=row).order_by("pk")
    assert f"{taken_back.pk}: {row.model}: -{row.input_tokens} in" in output.getvalue()
    assert f"{booked.pk}: claude-opus-5-5: 0 in, 1 out, $0.00002\n" in output.getvalue()
    ledger.correct(row=row, reason="not ours")
    with pytest.raises(CommandError, match="cancelled in the ledger already"):
        call_command("correct", str(row.pk), "--again", "--reason", "x")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([str(uuid.uuid4())], "has no row with the id"),
        (["{row}", "--usage", "[]"], "must be a JSON object"),
        (["{row}", "--usage", "{{}}"], "Must be Claude's usage object"),
        (["{row}", "--model", "claude-opus-5-5"], "--model needs --usage or --again"),
        (["{row}", "--again", "--usage", "{{}}"], "not allowed with"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(database: str, arguments: list[str], told: str) -> None:
    row = ledger_rows.booked(ledger_rows.answer(input_tokens=5, output_tokens=5), "claude-sonnet-4-6")
    with pytest.raises(CommandError, match=told):
        call_command("correct", *(each.format(row=row.pk) for each in arguments), "--reason", "x")
    assert Usage.objects.filter(user=row.user_id).count() == 1
