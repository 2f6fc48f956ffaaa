"""Enforcing budgets: an amount is held before a request is sent, and settled when its cost is known.

The transaction that prepares a request makes the hold, the one that writes a ledger row adds it to the spending, and
the one that ends the work releases the hold, on any process. Each is one UPDATE of all budgets that apply, always in
the order of `_ordered`, so that there are no deadlocks.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Case, F, Sum, When
from django.db.models.functions import Greatest

from conversations import clock
from conversations.claude.pricing import decimal_string
from conversations.database import prepared
from conversations.errors import BudgetExceeded
from conversations.models import Budget, Hold, Usage, User
from conversations.models.budget import this_period
from conversations.services.billing.budget_statements import APPLIES, HOLD, ORDERED, SPENT_NOW

SCOPES = ("user", "group", "platform")
WHOSE = {"user": "Your", "group": "Your group's", "platform": "The platform's"}

# The amount spent in the present period: the row may be of an earlier one until something changes it.
SPENT = Case(When(period_start__gte=this_period(), then=F("spent")), default=Decimal(0))
NOW = {"spent": SPENT, "period_start": Greatest(F("period_start"), this_period())}


def applying_to(user: User | None) -> list[Budget]:
    """Return the budgets that apply to a user's requests; for a deleted user, the platform's."""
    names = [each.attname for each in Budget._meta.concrete_fields]
    columns = ", ".join(f'"{name}"' for name in names)
    applies = APPLIES.format(user="%(user)s")
    statement = f"SELECT {columns}, {SPENT_NOW} FROM conversations_budget WHERE {applies} ORDER BY {ORDERED}"  # noqa: S608
    found = []
    for *values, spent in prepared(statement, {"user": user and user.pk}):
        budget = Budget.from_db(None, names, values)
        budget.spent_now = spent  # type: ignore[attr-defined]
        found.append(budget)
    return found


def with_spent(id: uuid.UUID) -> Budget:
    """Add the spending of the present period to a budget, as `spent_now`."""
    return Budget.objects.annotate(spent_now=SPENT).get(pk=id)


def _ordered(budgets: Iterable[Budget]) -> list[Budget]:
    # The platform's budget comes last: all transactions wait for its lock, which should be short.
    return sorted(budgets, key=lambda each: (SCOPES.index(each.scope), each.pk))


def hold(*, budgets: list[Budget], work: uuid.UUID, number: int, amount: Decimal) -> None:
    """Hold an amount of each budget for a request. Raise BudgetExceeded if one has less left.

    Within the caller's transaction, which is left unchanged by an error. Repeating it for the same request holds once.
    """
    values = {"budgets": [each.pk for each in budgets], "work": work, "number": number, "amount": amount}
    exceeded = prepared(HOLD, values)
    if exceeded:
        raise _exceeded(next(each for each in budgets if each.pk == exceeded[0][0]), amount)


def room_left(budgets: list[Budget]) -> Decimal:
    """Return the least amount left of the budgets, in US dollars; it may be negative."""
    return min(map(left_of, Budget.objects.filter(pk__in=[each.pk for each in budgets]).annotate(spent_now=SPENT)))


def left_of(budget: Budget) -> Decimal:
    """Return the amount left of a budget, in US dollars. The budget comes from `applying_to`."""
    now: Decimal = budget.spent_now  # type: ignore[attr-defined]
    return budget.limit - now - budget.held


def release(work: uuid.UUID, number: int | None = None) -> None:
    """Release the holds of a piece of work, or of one of its requests. Within the caller's transaction."""
    holds = Hold.objects.filter(work=work) if number is None else Hold.objects.filter(work=work, number=number)
    held = holds.values("budget").annotate(amount=Sum("amount"))
    amounts = {row["budget"]: row["amount"] for row in held}
    for budget in _ordered(Budget.objects.filter(pk__in=amounts)) if amounts else ():
        Budget.objects.filter(pk=budget.pk).update(**NOW, held=F("held") - amounts[budget.pk])
    if amounts:
        holds.delete()


def spend(row: Usage) -> None:
    """Add a ledger row to the spending of its user, their groups and the platform, if it is of the last period.

    Within the transaction that writes the row. The row's own time decides on the period: around midnight clocks
    disagree about the day, and so may transactions that wait for each other.
    """
    user = User.objects.filter(pk=row.user_id).first() if row.user_id else None
    for budget in applying_to(user):
        start = period_of(budget, row.created_at)
        spent = Case(When(period_start=start, then=F("spent")), default=Decimal(0))
        counting = Budget.objects.filter(pk=budget.pk).exclude(period_start__gt=start)
        counting.update(spent=spent + row.counted, period_start=start)


def period_of(budget: Budget, at: datetime) -> date:
    """Return the first day of a budget's period at a time."""
    day = at.astimezone(UTC).date()
    return day if budget.period == Budget.Period.DAY else day.replace(day=1)


def frees_at(budget: Budget, now: datetime) -> datetime:
    """Return the beginning of the period after that of a time."""
    start = period_of(budget, now)
    after = start + timedelta(days=1 if budget.period == Budget.Period.DAY else 32)
    first = after if budget.period == Budget.Period.DAY else after.replace(day=1)
    return datetime.combine(first, time(), UTC)


def describe_budget(budget: Budget) -> dict[str, object]:
    """Return the representation of a budget for its user. The budget comes from `applying_to`."""
    return {
        "limit": decimal_string(budget.limit),
        "spent": decimal_string(budget.spent_now),  # type: ignore[attr-defined]
        "held": decimal_string(budget.held),
        "period": budget.period,
        "frees_at": frees_at(budget, clock.now()).isoformat().replace("+00:00", "Z"),
    }


def _exceeded(budget: Budget, amount: Decimal) -> BudgetExceeded:
    """Return the error for a budget with less than an amount left; amounts are omitted unless it is the user's own.

    It says whether releasing present holds would make room: then a retry may succeed.
    """
    now = clock.now()
    fresh = with_spent(budget.pk)
    told = describe_budget(fresh)
    details = {"budget": budget.scope, "period": told["period"], "frees_at": told["frees_at"]}
    if budget.scope == "user":
        details.update(limit=told["limit"], spent=told["spent"], held=told["held"])
    exceeded = BudgetExceeded(
        f"{WHOSE[budget.scope]} budget for this {budget.period} has too little left for the maximal cost of this "
        f"request. It is reset at {told['frees_at']}.",
        details=details,
        retry_after=(frees_at(budget, now) - now).total_seconds(),
    )
    exceeded.retryable = fresh.limit >= fresh.spent_now + amount  # type: ignore[attr-defined]
    return exceeded


def lowers_max_tokens() -> bool:
    """Return whether `max_tokens` is lowered for turns that are too expensive, instead of refusing them."""
    return bool(settings.COLLOQUY_BUDGETS_LOWER_MAX_TOKENS)
