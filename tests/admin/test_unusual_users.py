"""Users whose week costs far more than their weeks before are shown, with the reasons; nobody else is."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from conversations.admin.review.scope import Scope
from conversations.admin.review.unusual import EARLIER, FLOOR, is_unusual, unusual_users, usual_week
from conversations.models import Conversation, Usage, User

TODAY = datetime.now(UTC)
amounts = st.decimals(0, 1000, places=4, allow_nan=False)
weeks = st.lists(amounts, max_size=EARLIER)


@pytest.mark.parametrize(
    ("cost", "earlier", "unusual"),
    [
        ("60", ["5"] * 8, True),
        ("60", ["5", "4", "6", "5", "7", "5", "4", "6"], True),
        ("60", ["5", "4", "80", "5", "7", "5", "4", "6"], True),
        ("6", ["0"] * 7 + ["0.10"], False),
        ("4.90", ["0.01"] * 8, False),
        ("1000", ["0", "0", "0", "0", "0", "0", "10", "10"], False),
        ("1000", [], False),
        ("120", ["100", "10", "60", "20", "90", "30", "110", "15"], False),
        ("240", ["100"] * 8, False),
        ("251", ["100"] * 8, True),
        ("50", ["3", "0", "0", "0", "0", "0", "0", "0"], True),
    ],
)
def test_a_week_is_held_against_the_users_own(cost: str, earlier: list[str], unusual: bool) -> None:
    assert is_unusual(Decimal(cost), [Decimal(each) for each in earlier]) == unusual


@given(cost=amounts, earlier=weeks)
def test_tiny_amounts_and_new_users_are_never_unusual(cost: Decimal, earlier: list[Decimal]) -> None:
    usual = usual_week(earlier)
    if usual is None or cost < usual + FLOOR:
        assert not is_unusual(cost, earlier)
    assert not is_unusual(Decimal(10**6), earlier[:2])
    assert not is_unusual(Decimal(10**6), [Decimal(0)] * 6 + earlier[:2])


@given(cost=amounts, more=amounts, earlier=weeks)
def test_more_is_not_less_unusual(cost: Decimal, more: Decimal, earlier: list[Decimal]) -> None:
    if is_unusual(cost, earlier):
        assert is_unusual(cost + more, earlier)


@given(usual=amounts.filter(lambda each: each > 0), spike=amounts, at=st.integers(0, 7))
def test_one_earlier_week_hides_nothing(usual: Decimal, spike: Decimal, at: int) -> None:
    earlier = [usual] * 8
    earlier[at] += spike
    assert is_unusual(usual * 3 + FLOOR, earlier)
    assert not is_unusual(usual, earlier)


@given(earlier=weeks)
def test_what_is_as_ever_is_not_unusual(earlier: list[Decimal]) -> None:
    usual = usual_week(earlier)
    assert usual is None or not is_unusual(usual, earlier)


def spend(user: User, days_ago: int, cost: str, **columns: Any) -> None:
    columns = {"model": "claude-haiku-5-5", **columns}
    at = TODAY - timedelta(days=days_ago)
    Usage.objects.create(
        user=user, username=user.username, source="provider", cost=Decimal(cost), created_at=at, **columns
    )


@pytest.fixture
def team(database: str) -> tuple[Group, User, User]:
    """Provide a group of two who spend $2 a week, one of whom spends $24 in the last week; the calm one first."""
    name = f"team-{uuid.uuid4().hex[:8]}"
    calm, wild = (User.objects.create_user(f"{name}-{which}") for which in ("calm", "wild"))
    group = Group.objects.create(name=name)
    group.user_set.set([calm, wild])
    for user in (calm, wild):
        for week in range(1, 7):
            spend(user, 7 * week + 1, "2")
    spend(calm, 2, "2.5")
    for n in range(3):
        conversation = Conversation.objects.create(owner=wild, title=f"Book {n}")
        spend(wild, n, "7", model="claude-opus-5-5", conversation=conversation)
    spend(wild, 1, "3")
    return group, calm, wild


def test_they_are_on_the_dashboard_with_a_link_to_what_did_it(staff: Client, team: tuple[Group, User, User]) -> None:
    group, calm, wild = team
    page = staff.get(f"/admin/?group={group.pk}").content.decode()
    panel = page[page.index('id="unusual"') : page.index('id="top-users"')]
    assert "12 times their usual week ($2.00), mostly claude-opus-5-5, 3 conversations" in panel
    assert calm.username not in panel
    [address] = [part.split('"')[0] for part in panel.split('href="')[1:]]
    below = staff.get(address.replace("&amp;", "&")).content.decode()
    assert wild.username in below
    assert below.count(">Book ") == 3


def test_a_month_has_each_user_once_with_their_largest_week(team: tuple[Group, User, User]) -> None:
    group, _, wild = team
    spend(wild, 10, "40")
    today = TODAY.date()
    scope = Scope(today - timedelta(days=29), today, group=group)
    assert [(each.user, each.cost) for each in unusual_users(scope, today, weeks=4)] == [(wild.pk, Decimal(42))]


def test_it_takes_three_statements_however_many_there_are(
    team: tuple[Group, User, User], django_assert_max_num_queries: Any
) -> None:
    group, calm, _ = team
    spend(calm, 0, "100")
    today = TODAY.date()
    with django_assert_max_num_queries(3):
        found = unusual_users(Scope(today, today, group=group), today)
    assert len(found) == 2
