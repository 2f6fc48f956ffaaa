"""The ledger, with totals of whatever is filtered."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter

from conversations.admin.readonly import ReadOnlyAdmin, pretty
from conversations.models import Usage

CLASSES = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache read": "cache_read_tokens",
    "cache write 5 min": "cache_write_5m_tokens",
    "cache write 1 h": "cache_write_1h_tokens",
}


def totals(rows: QuerySet[Usage]) -> dict[str, Any]:
    """The sums over some rows of the ledger, in one query."""
    sums = rows.order_by().aggregate(
        all_requests=Sum("requests", default=0),
        spent=Sum("cost"),
        unpriced=Sum("requests", filter=Q(cost=None), default=0),
        estimated=Sum("requests", filter=Q(source=Usage.Source.ESTIMATE), default=0),
        **{f"all_{column}": Sum(column) for column in CLASSES.values()},
    )
    tokens = {name: sums[f"all_{column}"] or 0 for name, column in CLASSES.items()}
    return {
        "requests": sums["all_requests"],
        "cost": sums["spent"] or 0,
        "unpriced": sums["unpriced"],
        "estimated": sums["estimated"],
        "classes": tokens,
        "tokens": sum(tokens.values()),
    }


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    """What upstream requests used and cost."""

    list_display = (
        "created_at",
        "username",
        "purpose",
        "model",
        "requests",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
        "price",
        "source",
        "stop_reason",
        "error_type",
    )
    list_filter = (("created_at", RangeDateFilter), "user", "model", "purpose", "source", "speed", "batch")
    list_filter_submit = True
    date_hierarchy = "created_at"
    search_fields = ("username", "request_id", "turn__id")
    heavy = ("raw", "prices")
    list_before_template = "admin/conversations/usage/totals.html"
    exclude = ("raw", "prices")
    readonly_fields = ("prices_shown", "raw_shown")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with the totals of all that it is filtered to and not only of its page."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            response.context_data["totals"] = totals(response.context_data["cl"].queryset)
        return response

    @admin.display(description="cost", ordering="cost")
    def price(self, usage: Usage) -> str:
        """US dollars; an unknown price is not a price of nothing."""
        return "unknown" if usage.cost is None else f"${usage.cost:.6f}"

    @admin.display(description="prices")
    def prices_shown(self, usage: Usage) -> SafeString:
        """US dollars per million tokens of each class."""
        return pretty(usage.prices)

    @admin.display(description="Claude's own count")
    def raw_shown(self, usage: Usage) -> SafeString:
        """The usage object as it came."""
        return pretty(usage.raw)
