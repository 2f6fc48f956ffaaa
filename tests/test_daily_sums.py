"""The daily sums equal those of the ledger's rows, whoever adds rows and whenever the sums are read."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.models import DailyConversation, DailyUsage, Usage, User
from conversations.services.billing import ledger, ledger_audit
from tests import ledger_rows
from tests.clients import Api

NUMBERS = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rows_of(user: User) -> dict[Any, dict[str, Any]]:
    """Return the sums of a user's ledger rows by day, model, source, purpose and error."""
    found: dict[Any, dict[str, Any]] = {}
    for row in Usage.objects.filter(user=user):
        key = (row.created_at.astimezone(UTC).date(), row.model, row.source, row.purpose, row.error_type)
        sums = found.setdefault(key, {**dict.fromkeys(NUMBERS, 0), "cost": Decimal(0), "unpriced": 0})
        for name in NUMBERS:
            sums[name] += getattr(row, name)
        sums["cost"] += row.cost or 0
        sums["unpriced"] += row.requests if row.cost is None else 0
    return found


def days_of(user: User) -> dict[Any, dict[str, Any]]:
    """Return the stored daily sums of a user, in the same form."""
    return {
        (each.day, each.model, each.source, each.purpose, each.error_type): {
            name: getattr(each, name) for name in (*NUMBERS, "cost", "unpriced")
        }
        for each in DailyUsage.objects.filter(user=user)
    }


ROWS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    created_at=st.integers(-60, 60).map(lambda hours: NOW + timedelta(hours=hours)),
    model=st.sampled_from(["a", "b"]),
    source=st.sampled_from(["provider", "estimate"]),
    purpose=st.sampled_from(["turn", "extraction"]),
    error_type=st.sampled_from(["", "api_error"]),
    conversation_id=st.sampled_from([None, uuid.UUID(int=1), uuid.UUID(int=2)]),
    input_tokens=st.integers(0, 10**6),
    cache_read_tokens=st.integers(0, 10**6),
    cost=st.none() | st.decimals(0, 100, places=12),
)


@settings(max_examples=30)
@given(st.lists(st.lists(ROWS, min_size=1, max_size=4), max_size=6))
def test_they_are_the_sums_of_the_rows(database: str, inserts: list[list[dict[str, Any]]]) -> None:
    """For rows added one by one or many at once, corrections included."""
    user = ledger_rows.spender()
    for rows in inserts:
        Usage.objects.bulk_create(Usage(user=user, username=user.username, **row) for row in rows)
    for first in Usage.objects.filter(user=user)[:2]:
        ledger.correct(row=first, reason="test", usage={"input_tokens": 7, "output_tokens": 3})
    assert days_of(user) == rows_of(user)
    whole = DailyConversation.objects.filter(user=user)
    assert sum(each.cost for each in whole) == sum(sums["cost"] for sums in rows_of(user).values())
    by_conversation = {id: Decimal(0) for id in {each.conversation_id for each in whole}}
    for row in Usage.objects.filter(user=user):
        by_conversation[row.conversation_id] += row.cost or 0
    kept = {id: sum(each.cost for each in whole if each.conversation_id == id) for id in by_conversation}
    assert kept == by_conversation


def test_a_turn_is_in_them_at_once(api: Api) -> None:
    turn = api.ask("Hello")
    day = DailyUsage.objects.get(user=api.user)
    assert (day.cost, day.requests, day.username) == (Decimal(turn["cost"]), 1, api.user.username)
    assert day.slowest is not None
    assert DailyConversation.objects.get(conversation=turn["conversation"]).cost == day.cost


def test_transactions_that_book_in_different_orders_do_not_wait_for_each_other_for_ever(database: str) -> None:
    user = ledger_rows.spender()

    def book(models: tuple[str, str]) -> None:
        try:
            for _ in range(20):
                with transaction.atomic():
                    for model in models:
                        ledger.book(
                            ledger.ledger_row(
                                user=user,
                                answer=ledger_rows.answer(input_tokens=1),
                                model=model,
                                upstream=ledger.RequestRecord(),
                            )
                        )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(book, [("a", "b"), ("b", "a")] * 2))
    assert days_of(user) == rows_of(user)
    assert sum(sums["requests"] for sums in days_of(user).values()) == 160


@pytest.mark.parametrize("model", [DailyUsage, DailyConversation])
def test_the_check_finds_days_that_are_wrong(api: Api, model: Any) -> None:
    api.ask("Hello")
    assert not [problem for problem in ledger_audit.audit().problems if str(api.user.pk) in problem]
    model.objects.filter(user=api.user).update(input_tokens=0)
    [problem] = [problem for problem in ledger_audit.audit().problems if str(api.user.pk) in problem]
    assert model._meta.verbose_name in problem
    model.objects.filter(user=api.user).delete()
