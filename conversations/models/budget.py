"""What may be spent, and what is held of it for requests whose cost is not known yet."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator
from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL

from conversations.fields import uuid7
from conversations.models.usage import Usage


class Budget(models.Model):
    """A limit in US dollars on what a user, the members of a group, or all together spend in a day or month (UTC).

    `spent` and `held` are never read to be written back: single UPDATEs change them (services/budgets.py), and `save`
    leaves them alone.
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
        max_digits=12, decimal_places=4, validators=[MinValueValidator(0)], help_text="US dollars."
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
        """A new one begins with what the ledger has of its period already."""
        if not self._state.adding:
            given = [each.name for each in self._meta.concrete_fields if each.editable]
            super().save(*args, **{"update_fields": given, **kwargs})
            return
        with transaction.atomic():
            with connection.cursor() as cursor:
                # Until it is there, nobody writes to the ledger what it would have to count.
                cursor.execute(f"LOCK TABLE {Usage._meta.db_table} IN SHARE MODE")
            super().save(*args, **kwargs)
            in_period = Budget.objects.filter(pk=self.pk).annotate(start=this_period()).get()
            start: date = in_period.start
            self.period_start, self.spent = start, self.spent_by_ledger(start)
            super().save(update_fields=["period_start", "spent"])

    def spent_by_ledger(self, start: date) -> Decimal:
        """What the ledger says that its users have spent since the beginning of a day (UTC)."""
        rows = Usage.objects.filter(created_at__gte=datetime.combine(start, time(), UTC))
        if self.user_id:
            rows = rows.filter(user_id=self.user_id)
        elif self.group_id:
            rows = rows.filter(user__groups=self.group_id)
        known: Decimal = rows.aggregate(cost=models.Sum("cost"))["cost"] or Decimal(0)
        return known + sum((row.counted for row in rows.filter(cost__isnull=True).iterator()), Decimal(0))

    @property
    def scope(self) -> str:
        """Whose it is: user, group or platform."""
        return "user" if self.user_id else "group" if self.group_id else "platform"


class Hold(models.Model):
    """What is held of a budget for one upstream request of a piece of work, at most what it can cost."""

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


def this_period() -> RawSQL:
    """The beginning of a budget's present day or month, by the database's clock."""
    return RawSQL(
        "date_trunc(conversations_budget.period, now() AT TIME ZONE 'UTC')::date", (), output_field=models.DateField()
    )
