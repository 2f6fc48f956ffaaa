"""The admin's pages of budgets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from conversations import clock
from conversations.admin.lookups import DeclaredLookups
from conversations.admin.meters import Meter
from conversations.claude.pricing import decimal_string
from conversations.models import Budget
from conversations.services.billing import budgets


@admin.register(Budget)
class BudgetAdmin(DeclaredLookups):
    """Budgets of users, groups and the platform, each with its use; the limit can be edited in the list."""

    fields = ("user", "group", "period", "limit")
    list_display = ("__str__", "scope", "period", "limit", "spent_now", "held_now", "used")
    list_editable = ("limit",)
    list_filter = ("period",)
    list_select_related = ("user", "group")
    search_fields = ("user__username", "group__name")
    autocomplete_fields = ("user", "group")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Budget]:
        """Return the budgets, each with what is spent in its present period as `spent_now`."""
        return super().get_queryset(request).annotate(spent_now=budgets.SPENT)

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> Sequence[str]:
        """Return all fields but the limit for an existing budget: its spending belongs to its user or group."""
        return ("user", "group", "period") if obj else ()

    def save_model(self, request: HttpRequest, obj: Budget, form: ModelForm[Budget], change: bool) -> None:
        """Save a budget, and warn if it is used up already; earlier spending is added when it is committed."""
        super().save_model(request, obj, form, change)
        transaction.on_commit(partial(_warn_if_used_up, request, obj))

    @admin.display(description="spent (USD)")
    def spent_now(self, budget: Any) -> str:
        """Return the spending of the present period, in US dollars."""
        return decimal_string(budget.spent_now)

    @admin.display(description="held (USD)")
    def held_now(self, budget: Budget) -> str:
        """Return the holds of running turns and extractions, in US dollars."""
        return decimal_string(budget.held)

    @admin.display(description="used")
    def used(self, budget: Budget) -> str:
        """Return a bar with the spending and, lighter, the holds."""
        return Meter(budget).html()


def _warn_if_used_up(request: HttpRequest, budget: Budget) -> None:
    saved = budgets.with_spent(budget.pk)
    left, now = budgets.left_of(saved), clock.now()
    if left <= 0:
        used, frees = decimal_string(saved.limit - left), f"{budgets.frees_at(saved, now):%Y-%m-%d %H:%M} UTC"
        messages.warning(
            request,
            f"{saved}: {used} USD are spent or held in this {saved.period} already. The budget is used up: what it "
            f"applies to is refused until {frees}.",
        )
