"""The ledger is append-only, outlives the objects that it refers to, and says how each request was billed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test import Client, override_settings

from conversations.models import Conversation, Turn, Usage, User
from conversations.sandbox.server import Sandbox
from tests import ledger_rows, streams
from tests.clients import Api


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE conversations_usage SET cost = 0",
        "DELETE FROM conversations_usage",
        "TRUNCATE conversations_usage CASCADE",
    ],
)
def test_postgres_refuses_to_change_it(api: Api, statement: str) -> None:
    api.ask("Hello")
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="append-only"):
        cursor.execute(statement)


def test_its_rows_outlive_the_conversation_and_the_user(api: Api) -> None:
    turn = api.ask("Hello")
    before = Usage.objects.values().get(turn=turn["id"])
    assert api.http.delete(f"/api/conversations/{turn['conversation']}/").status_code == 204
    api.user.delete()
    assert not User.objects.filter(pk=before["user_id"]).exists()
    assert not Conversation.objects.filter(pk=before["conversation_id"]).exists()
    assert not Turn.objects.filter(pk=before["turn_id"]).exists()
    assert Usage.objects.values().get(pk=before["id"]) == before


def test_the_admin_shows_a_row_whose_user_is_gone(api: Api) -> None:
    name, row = api.user.username, Usage.objects.get(turn=api.ask("Hello")["id"])
    api.user.delete()
    staff = Client()
    staff.force_login(User.objects.create_superuser(f"staff-of-{name}"))
    assert name in staff.get(f"/admin/conversations/usage/?q={name}").content.decode()
    assert staff.get(f"/admin/conversations/usage/{row.pk}/change/").status_code == 200


SERVED = {
    "input_tokens": 1000,
    "output_tokens": 100,
    "cache_creation_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
    "cache_read_input_tokens": 40,
    "output_tokens_details": {"thinking_tokens": 5},
    "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 3},
    "service_tier": "standard",
    "speed": "fast",
    "inference_geo": "us",
}


def asked(api: Api, sandbox: Sandbox, usage: dict[str, Any], model: str = "claude-sonnet-4-6") -> dict[str, Any]:
    """Run a turn with this usage; return it."""
    sandbox.replay = streams.answered(usage, model)
    try:
        return api.ask("Hello")
    finally:
        sandbox.replay = None


def test_a_row_says_how_claude_served_the_request(api: Api, sandbox: Sandbox) -> None:
    turn = asked(api, sandbox, SERVED, model="claude-opus-5-5")
    [row] = api.get("usage/records/").json()["results"]
    told = {
        "purpose": "turn",
        "model": "claude-opus-5-5",
        "input_tokens": 1000,
        "output_tokens": 100,
        "cache_write_5m_tokens": 10,
        "cache_write_1h_tokens": 20,
        "cache_read_input_tokens": 40,
        "thinking_tokens": 5,
        "web_search_requests": 2,
        "web_fetch_requests": 3,
        "service_tier": "standard",
        "speed": "fast",
        "inference_geo": "us",
        "batch": False,
    }
    assert row.items() >= told.items()
    # Fast prices are the list's own; the surcharge for the US is not in them, and applies to tokens only.
    assert row["prices"]["includes"] == "fast"
    assert row["prices"]["multipliers"] == {"us": "1.1"}
    tokens = 1000 * 8 + 100 * 40 + 10 * 10 + 20 * 16 + 40 * Decimal("0.4")
    assert Decimal(row["cost"]) == Decimal(turn["cost"]) == tokens * Decimal("1.1") / 1_000_000 + 2 * Decimal("0.01")


def test_what_claude_does_not_tell_is_standard(api: Api, sandbox: Sandbox) -> None:
    turn = asked(api, sandbox, {"input_tokens": 1, "output_tokens": 1})
    row = Usage.objects.get(turn=turn["id"])
    assert (row.service_tier, row.speed, row.inference_geo, row.batch) == ("", "standard", "", False)


@pytest.mark.parametrize("tier", ["batch", "x" * 300, None])
def test_any_word_of_claude_can_be_booked(api: Api, sandbox: Sandbox, tier: str | None) -> None:
    turn = asked(api, sandbox, {"input_tokens": 1, "output_tokens": 1, "service_tier": tier})
    row = Usage.objects.get(turn=turn["id"])
    assert row.service_tier == (tier or "")[:50]
    assert row.batch == (tier == "batch")
    assert row.cost == Decimal(18) / 1_000_000 / (2 if row.batch else 1)


@pytest.mark.parametrize(
    "odd",
    [
        {"input_tokens": "many", "output_tokens": 10**18, "cache_read_input_tokens": -5},
        {"input_tokens": 1.5, "output_tokens": None, "cache_creation": 5, "server_tool_use": ["search"]},
        {"service_tier": "\0", "speed": 3, "inference_geo": {"us": True}, "output_tokens_details": "none"},
    ],
)
def test_whatever_a_server_says_the_turn_is_booked(api: Api, sandbox: Sandbox, odd: dict[str, Any]) -> None:
    turn = asked(api, sandbox, odd)
    row = Usage.objects.get(turn=turn["id"])
    assert (turn["status"], row.source, row.speed) == ("completed", "estimate", "standard")
    assert 0 < row.output_tokens < 10  # the answer is a word
    estimated = ("input_tokens", "output_tokens")
    assert row.raw.items() >= {name: value for name, value in odd.items() if name not in estimated}.items()


def test_processes_of_the_release_before_can_still_book(api: Api) -> None:
    """They insert the columns that they know; the others have defaults in the database."""
    numbers = (
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
        "thinking_tokens",
        "web_search_requests",
    )
    texts = {"username": "x", "purpose": "turn", "model": "m", "request_id": "", "source": "provider", "error_type": ""}
    columns = ("id", "user_id", "created_at", "raw", "prices", *texts, *numbers)
    values = ["gen_random_uuid()", "%s", "now()", "'{}'", "'{}'", *["%s"] * len(texts), *["1"] * len(numbers)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO conversations_usage ({', '.join(columns)}) VALUES ({', '.join(values)})",
            [api.user.pk, *texts.values()],
        )
    row = Usage.objects.get(user=api.user)
    assert (row.speed, row.service_tier, row.inference_geo) == ("standard", "", "")
    assert (row.batch, row.web_fetch_requests, row.requests, row.corrects, row.override) == (False, 0, 1, None, None)


def test_names_are_kept(database: str) -> None:
    user = ledger_rows.spender()
    assert ledger_rows.booked(ledger_rows.answer(input_tokens=1), user=user).username == user.username


@override_settings(COLLOQUY_KEEP_NAMES=False)
def test_names_can_be_left_out_from_the_beginning(database: str) -> None:
    users = [ledger_rows.spender(), ledger_rows.spender()]
    first, again, other = [
        ledger_rows.booked(ledger_rows.answer(input_tokens=1), user=users[n]).username for n in (0, 0, 1)
    ]
    assert first == again != other
    assert not {first, other} & {str(name) for user in users for name in (user.pk, user.pk.hex, user.username)}
    with override_settings(SECRET_KEY="another"):  # nobody can compute the pseudonym from an id without the key
        assert ledger_rows.booked(ledger_rows.answer(input_tokens=1), user=users[0]).username != first
