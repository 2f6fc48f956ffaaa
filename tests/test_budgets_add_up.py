"""Budgets add up: whatever is held, spent and released concurrently, in any order, around any midnight."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from itertools import permutations

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.errors import BudgetExceeded
from conversations.models import Budget, Usage, User
from conversations.services.billing import budgets

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.integers(0, 5), st.integers(1, 40)),
        st.tuples(st.just("end"), st.integers(0, 5), st.integers(0, 40)),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(STEPS, st.integers(10, 100))
def test_what_is_spent_and_held_is_never_more_than_the_limit(
    database: str, steps: list[tuple[str, int, int]], limit: int
) -> None:
    """As long as nothing costs more than was held for it."""
    user = User.objects.create(username=f"budget-{uuid.uuid4().hex[:12]}")
    budget = Budget.objects.create(user=user, limit=limit)
    held: dict[int, tuple[uuid.UUID, int]] = {}
    spent = 0
    for what, work, amount in steps:
        if what == "hold" and work not in held:
            id = uuid.uuid4()
            fits = spent + sum(each for _, each in held.values()) + amount <= limit
            try:
                with transaction.atomic():
                    budgets.hold(budgets=budgets.applying_to(user), work=id, number=1, amount=Decimal(amount))
                assert fits
                held[work] = (id, amount)
            except BudgetExceeded:
                assert not fits
        elif what == "end" and work in held:
            id, most = held.pop(work)
            cost = min(amount, most)
            with transaction.atomic():
                budgets.spend(Usage.objects.create(user=user, username="x", model="m", source="provider", cost=cost))
                budgets.release(id)
            spent += cost
        budget.refresh_from_db()
        assert budget.spent == spent
        assert budget.held == sum(each for _, each in held.values())
        assert budget.spent + budget.held <= limit


def test_holds_and_ends_at_the_same_time_add_up(database: str) -> None:
    users = [User.objects.create(username=f"budget-{uuid.uuid4().hex[:12]}") for _ in range(4)]
    group = Group.objects.create(name=f"group-{uuid.uuid4()}")
    group.user_set.set(users)
    shared = Budget.objects.create(group=group, limit=50)
    for user in users:
        Budget.objects.create(user=user, limit=20)

    def work(user: User) -> Decimal:
        spent = Decimal(0)
        for _ in range(15):
            id = uuid.uuid4()
            try:
                with transaction.atomic():
                    budgets.hold(budgets=budgets.applying_to(user), work=id, number=1, amount=Decimal(3))
            except BudgetExceeded:
                continue
            with transaction.atomic():
                budgets.spend(Usage.objects.create(user=user, username="x", model="m", source="provider", cost=2))
                budgets.release(id)
            spent += 2
        connection.close()
        return spent

    with ThreadPoolExecutor(len(users)) as pool:
        totals = list(pool.map(work, users))
    shared.refresh_from_db()
    assert shared.spent == sum(totals)
    assert shared.held == 0
    assert 44 <= shared.spent <= 50
    assert all(total <= 20 for total in totals)


@pytest.mark.parametrize("days", [*permutations((-1, 0, 1))])
def test_around_midnight_a_row_is_of_the_day_that_it_says(database: str, days: tuple[int, ...]) -> None:
    """Whatever Postgres's clock says, and in whichever order rows reach the budget."""
    user = User.objects.create(username=f"budget-{uuid.uuid4().hex[:12]}")
    budget = Budget.objects.create(user=user, limit=5, period="day")
    assert budget.period_start is not None
    latest, spent = budget.period_start, Decimal(0)
    for cost, day in enumerate(days, 1):
        at = datetime.combine(budget.period_start, time_of_day(12), UTC) + timedelta(days=day)
        budgets.spend(Usage.objects.create(user=user, source="provider", cost=cost, created_at=at))
        if at.date() >= latest:
            latest, spent = at.date(), Decimal(cost)
        found = Budget.objects.get(pk=budget.pk)
        assert (found.period_start, found.spent) == (latest, spent)
