"""The dashboard shows a period's usage exactly as the ledger has it."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from conversations.admin.review import dashboard
from conversations.admin.review.scope import Scope
from conversations.models import Audit, Budget, Conversation, Usage, User
from tests import seeding
from tests.admin import pages

TODAY = datetime.now(UTC)


def row(user: User, days_ago: int = 0, **columns: Any) -> Usage:
    at = TODAY - timedelta(days=days_ago)
    columns = {"model": "claude-sonnet-4-6", "source": "provider", "cost": Decimal(1), **columns}
    return Usage.objects.create(user=user, username=user.username, created_at=at, **columns)


@pytest.fixture
def user(database: str) -> User:
    return User.objects.create_user(f"spender-{uuid.uuid4().hex[:8]}")


def shown(staff: Client, query: str) -> tuple[str, dict[str, Any]]:
    """Load the dashboard; return its HTML, and the data of its charts by name."""
    page = staff.get(f"/admin/?{query}").content.decode()
    found = re.findall(r'id="chart-(\w+)".*?data-value="([^"]*)"', page, re.DOTALL)
    return page, {name: json.loads(unescape(data)) for name, data in found}


def series(chart: Any) -> dict[str, list[Any]]:
    return {each["label"]: each["data"] for each in chart["datasets"]}


def test_cost_tokens_cache_and_errors_by_day(staff: Client, user: User) -> None:
    row(user, 0, input_tokens=100, cache_read_tokens=300, output_tokens=7)
    row(user, 2, model="claude-opus-5-5", cost=Decimal("2.5"), error_type="api_error", source="estimate")
    row(user, 2, model="mine", cost=None)
    row(user, 40)
    page, charts = shown(staff, f"user={user.pk}")
    assert pages.total(page, "cost") == "$3.50 and 1 of unknown price"
    assert pages.total(page, "requests") == "3"
    assert pages.total(page, "tokens") == "407"
    assert pages.total(page, "cache") == "75.0 % of the input"
    assert pages.total(page, "failed") == "1 33.3 %"
    assert pages.total(page, "estimated") == "1 33.3 %"
    cost = series(charts["cost"])
    assert {model: sum(values) for model, values in cost.items()} == {
        "claude-opus-5-5": 2.5,
        "claude-sonnet-4-6": 1,
        "mine": 0,
    }
    assert len(cost["mine"]) == 30
    assert cost["claude-opus-5-5"][-3] == 2.5
    assert cost["claude-sonnet-4-6"][-1] == 1
    assert series(charts["tokens"])["Cache read"][-1] == 300
    assert series(charts["cache"])["%"][-1] == 75
    assert series(charts["cache"])["%"][0] is None
    assert series(charts["errors"])["api_error"][-3] == 1
    assert charts["models"]["labels"][0] == "claude-opus-5-5"
    assert charts["users"]["labels"] == [user.username]


def test_it_takes_few_statements_however_much_there_is(
    staff: Client, user: User, django_assert_max_num_queries: Any
) -> None:
    for days_ago in range(40):
        row(user, days_ago, model=f"model-{days_ago % 8}", duration=timedelta(seconds=days_ago))
    with django_assert_max_num_queries(24):
        shown(staff, f"user={user.pk}")


def test_many_models_share_a_colour(staff: Client, user: User) -> None:
    for number in range(9):
        row(user, model=f"model-{number}", cost=Decimal(number))
    _, charts = shown(staff, f"user={user.pk}")
    cost = series(charts["cost"])
    assert list(cost) == [*(f"model-{number}" for number in range(8, 2, -1)), "others"]
    assert cost["others"][-1] == 0 + 1 + 2


def test_users_and_conversations_that_cost_most_come_first(staff: Client, user: User) -> None:
    other = User.objects.create_user(f"other-{uuid.uuid4().hex[:8]}")
    group = Group.objects.create(name=user.username)
    group.user_set.set([user, other])
    cheap, dear = (Conversation.objects.create(owner=user, title=title) for title in ("Cheap", "Dear <b>"))
    row(user, conversation=cheap)
    row(user, conversation=dear, cost=Decimal(3))
    row(user, 1, conversation=dear, cost=Decimal(3))
    row(other, cost=Decimal(20))
    page, charts = shown(staff, f"group={group.pk}")
    assert charts["users"]["labels"] == [other.username, user.username]
    top = page[page.index('id="top-conversations"') : page.index('id="slowest"')]
    assert re.findall(r">(Cheap|Dear &lt;b&gt;)<", top) == ["Dear &lt;b&gt;", "Cheap"]
    assert 'data-cost="6"' in top


def test_the_slowest_requests_are_the_slowest(database: str) -> None:
    """They are found among all days, users and models."""
    seeding.seed("slow", 3000, users=5, days=20)
    group = Group.objects.create(name=f"slow-{uuid.uuid4()}")
    group.user_set.set(User.objects.filter(username__startswith="slow-"))
    today = datetime.now(UTC).date()
    scope = Scope(today - timedelta(days=12), today, group=group, source="provider")
    found = [each["duration"] for each in dashboard.slowest(scope, dashboard.Parts.read(scope, scope.span))]
    assert found == list(scope.rows().order_by("-duration").values_list("duration", flat=True)[:10])
    assert len(found) == 10


def test_budgets_and_the_last_check_are_there(staff: Client, user: User) -> None:
    row(user, cost=Decimal("0.5"))
    Budget.objects.create(user=user, limit=Decimal("0.25"))
    Audit.objects.create(problems=["One", "Two"], seconds=1)
    page, _ = shown(staff, "")
    assert f"0.25 USD a month for {user.username}" in page
    assert "200 % of $0.25" in page
    assert "2 problems" in page


def test_an_empty_platform_has_a_dashboard(staff: Client, user: User) -> None:
    page, charts = shown(staff, f"user={user.username}")
    assert pages.total(page, "cost") == "$0.00"
    assert pages.total(page, "cache") == "- of the input"
    assert series(charts["cost"]) == {}
