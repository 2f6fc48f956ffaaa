"""Budgets, and holds on them for requests whose cost is not known yet."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, time
from decimal import Decimal
from time import sleep
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator
from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL

from conversations.fields import uuid7
from conversations.models.daily import DailyUsage
from conversations.models.usage import Usage

ModelT = TypeVar("ModelT", bound=models.Model)

logger = logging.getLogger(__name__)

PATIENCE = 30.0  # seconds to wait for transactions that may have booked without seeing a new budget
LOOK = 0.02  # seconds between checks whether they have ended


class Budget(models.Model):
    """A limit in US dollars on the spending of a user, of a group, or of the platform, in a day or month (UTC).

    `spent` and `held` are never written from a value read before: single UPDATEs change them
    (services/billing/budgets.py), and `save` does not write them.
    """

    class Period(models.TextChoices):
        DAY = "day"
        MONTH = "month"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets"
    )
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets")
    period = models.CharField(max_length=5, choices=Period, default=Period.MONTH)
    limit = models.DecimalField(
        max_digits=12,
        decimal_places=4,
        validators=[MinValueValidator(0)],
        help_text="US dollars in each day or month (UTC).",
    )
    period_start = models.DateField(null=True, editable=False, help_text="The day or month that `spent` is of.")
    spent = models.DecimalField(max_digits=24, decimal_places=12, default=0, editable=False)
    held = models.DecimalField(
        max_digits=24, decimal_places=12, default=0, editable=False, help_text="For requests that have not ended."
    )

    objects: ClassVar[models.Manager[Budget]] = models.Manager()

    class Meta:
        constraints = (
            models.UniqueConstraint("user", "period", condition=models.Q(user__isnull=False), name="budget_of_user"),
            models.UniqueConstraint("group", "period", condition=models.Q(group__isnull=False), name="budget_of_group"),
            models.UniqueConstraint(
                "period", condition=models.Q(user__isnull=True, group__isnull=True), name="budget_of_all"
            ),
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) | models.Q(group__isnull=True), name="budget_of_one"
            ),
            models.CheckConstraint(condition=models.Q(held__gte=0), name="budget_holds_no_less_than_nothing"),
        )

    def __str__(self) -> str:
        return f"{self.limit.normalize():f} USD a {self.period} for {self.user or self.group or 'all'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the budget. A new one gets the spending of its period from the ledger, once it is committed."""
        if self._state.adding:
            super().save(*args, **kwargs)
            transaction.on_commit(self._catch_up)
        else:
            given = [each.name for each in self._meta.concrete_fields if each.editable]
            super().save(*args, **{"update_fields": given, **kwargs})

    def _catch_up(self) -> None:
        """Add the bookings of its period from before it was visible, without a lock that others wait for.

        A transaction that books a row adds it to the budgets that it sees. When all transactions have ended that could
        not see this one, the difference between the ledger and `spent` is what is missing.
        """
        _outlast_writers()
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            seen = Budget.objects.annotate(start=this_period()).filter(pk=self.pk).first()
            if seen is None:
                return
            counted = seen.spent if seen.period_start == seen.start else Decimal(0)
            missing = self.spent_by_ledger(seen.start) - counted
        present = models.Q(period_start=seen.start) | models.Q(period_start=None)
        found = Budget.objects.filter(present, pk=self.pk)
        found.update(spent=models.F("spent") + missing, period_start=seen.start)
        self.refresh_from_db(fields=["period_start", "spent"])

    def spent_by_ledger(self, start: date) -> Decimal:
        """Return its users' spending since the beginning of a day (UTC), in US dollars, by the daily sums."""
        days = self._of_its_users(DailyUsage.objects.filter(day__gte=start))
        sums = days.aggregate(cost=models.Sum("cost"), unpriced=models.Sum("unpriced"))
        rows = self._of_its_users(Usage.objects.filter(created_at__gte=datetime.combine(start, time(), UTC)))
        unpriced = rows.filter(cost__isnull=True).iterator() if sums["unpriced"] else ()
        return (sums["cost"] or Decimal(0)) + sum((row.counted for row in unpriced), Decimal(0))

    def _of_its_users(self, rows: models.QuerySet[ModelT]) -> models.QuerySet[ModelT]:
        if self.user_id:
            return rows.filter(user_id=self.user_id)
        return rows.filter(user__groups=self.group_id) if self.group_id else rows

    @property
    def scope(self) -> str:
        """Return the kind of its owner: user, group or platform."""
        return "user" if self.user_id else "group" if self.group_id else "platform"


class Hold(models.Model):
    """An amount of a budget that is reserved for one upstream request, at most the request's maximal cost."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="holds")
    work = models.UUIDField(help_text="The id of the turn, extraction or title.")
    number = models.PositiveIntegerField(help_text="Which of its requests.")
    amount = models.DecimalField(max_digits=24, decimal_places=12)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Hold]] = models.Manager()

    class Meta:
        constraints = (models.UniqueConstraint("work", "number", "budget", name="held_once"),)

    def __str__(self) -> str:
        return f"{self.amount} USD for {self.work}"


THIS_PERIOD = "date_trunc(conversations_budget.period, now() AT TIME ZONE 'UTC')::date"
"""The beginning of a budget's present day or month, by the database's clock."""


def this_period() -> RawSQL:
    """Return `THIS_PERIOD` for the ORM."""
    return RawSQL(THIS_PERIOD, (), output_field=models.DateField())  # noqa: S611 - it is ours


OLDEST = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
NEWEST = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


def _outlast_writers() -> None:
    """Wait until all transactions have ended that have already written, for at most `PATIENCE`."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST)
        [newest] = cursor.fetchone()
        for _ in range(int(PATIENCE / LOOK)):
            cursor.execute(OLDEST)
            if cursor.fetchone()[0] >= newest:
                return
            sleep(LOOK)
    logger.warning("A transaction has been open for %g seconds: its bookings may be missing in a new budget", PATIENCE)
