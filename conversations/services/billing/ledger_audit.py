"""Checking that the numbers agree: the ledger, its daily sums, and budgets' spending and holds."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.db import connection, transaction
from django.db.models import Count, F, Q, Sum, UniqueConstraint

from conversations.models import Audit, Budget, DailyConversation, DailyUsage, Hold, Turn, Usage
from conversations.models.budget import this_period
from conversations.models.daily import Daily
from conversations.models.lease import Leased


def audit() -> Audit:
    """Compare ledger, daily sums, budgets and holds in one snapshot, and store the differences."""
    began = time.monotonic()
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        problems = [*_budgets(), *_holds(), *_turns(), *_days(DailyUsage), *_days(DailyConversation)]
    return Audit.objects.create(problems=problems, seconds=time.monotonic() - began)


def _budgets() -> Iterator[str]:
    """Find budgets with differences; for groups only in holds, since their members may have changed."""
    for budget in Budget.objects.annotate(start=this_period(), sum_held=Sum("holds__amount")):
        if budget.held != (budget.sum_held or 0):
            yield f"Budget {budget.pk}: {budget.held} is held, and its holds are {budget.sum_held or 0}."
        if budget.scope == "group" or budget.period_start != budget.start:
            continue
        spent = budget.spent_by_ledger(budget.start)
        if budget.spent != spent:
            yield f"Budget {budget.pk}: {budget.spent} is spent, and the ledger has {spent}."


def _holds() -> Iterator[str]:
    """Find holds that have outlived their work."""
    kinds = Leased.__subclasses__()
    for work in Hold.objects.values_list("work", flat=True).distinct():
        found = (kind._base_manager.filter(pk=work).values_list("status", flat=True).first() for kind in kinds)
        status = next((each for each in found if each is not None), "gone")
        if status not in (Leased.QUEUED, Leased.RUNNING):
            yield f"Something is held for {work}, which is {status}."


def _turns() -> Iterator[str]:
    """Find ended turns with unbooked answers, or with more rows than requests."""
    answers = Count("messages", filter=Q(messages__role="assistant"), distinct=True)
    ended = Turn.objects.filter(status__in=Turn.TERMINAL).annotate(answers=answers)
    booked = ended.annotate(rows=Count("usage", filter=Q(usage__corrects__isnull=True), distinct=True))
    wrong = booked.exclude(rows__gte=F("answers"), rows__lte=F("requests_sent"))
    for turn in wrong.iterator():
        yield f"Turn {turn.pk}: {turn.requests_sent} requests, {turn.answers} answers, {turn.rows} rows in the ledger."


# The ledger's rows minus the daily sums: any remainder of a day is a difference.
DAYS = """
SELECT day, user_id, sum(requests), sum(tokens), sum(cost) FROM (
    SELECT (created_at AT TIME ZONE 'UTC')::date AS day, {keys}, requests, coalesce(cost, 0) AS cost,
        input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens AS tokens
    FROM {ledger}
    UNION ALL
    SELECT day, {keys}, -requests, -cost,
        -(input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens)
    FROM {days}
) AS rows
GROUP BY day, {keys} HAVING sum(requests) <> 0 OR sum(tokens) <> 0 OR sum(cost) <> 0
ORDER BY day, user_id LIMIT 100
"""


def _days(days: type[Daily]) -> Iterator[str]:
    """Find days whose sums differ from those of their rows."""
    (once,) = (each for each in days._meta.constraints if isinstance(each, UniqueConstraint))
    columns = {each.name: str(each.column) for each in days._meta.concrete_fields}
    keys = ", ".join(columns[name] for name in once.fields if name != "day")
    with connection.cursor() as cursor:
        cursor.execute(DAYS.format(keys=keys, ledger=Usage._meta.db_table, days=days._meta.db_table))
        for day, user, requests, tokens, cost in cursor:
            yield (
                f"The ledger has {requests} requests, {tokens} tokens and {cost} USD more of user {user} on {day} "
                f"than the {days._meta.verbose_name}."
            )
