"""The admin's pages of the ledger, with the sums of the filtered rows, and the drill-down to them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.admin import rendering
from conversations.admin.filters import ScopeFilter
from conversations.admin.readonly import ReadOnlyAdmin
from conversations.admin.review import views
from conversations.admin.review.totals import Sums
from conversations.models import DailyUsage, Usage

admin.site.index_template = "conversations/dashboard.html"


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    """The usage and cost of upstream requests."""

    list_display = (
        "created_at",
        "username",
        "purpose",
        "model",
        "input_shown",
        "output_shown",
        "cache_read",
        "cache_written",
        "price",
        "source",
        "outcome",
    )
    list_filter = (ScopeFilter,)
    list_filter_submit = True
    list_fullwidth = True
    ordering = ("-created_at", "-pk")
    found_by_id = ("pk", "user_id", "conversation_id", "turn_id")
    found_by_text = ("request_id",)
    search_help_text = (
        "Search for the whole id of a request (Claude's or ours), a turn or a conversation, or a whole user name."
    )
    heavy = ("raw", "prices")
    list_before_template = "conversations/ledger_totals.html"
    exclude = ("raw", "prices")
    readonly_fields = ("transcript", "prices_shown", "raw_shown")

    def get_urls(self) -> list[URLPattern]:
        """Return the model's URLs with those of the review added."""
        guarded = self.admin_site.admin_view
        return [
            path("review/", guarded(views.review), name="conversations_usage_review"),
            path("changes/", guarded(views.changes_page), name="conversations_usage_changes"),
            path("report/", guarded(views.month_report), name="conversations_usage_report"),
            path("requests/", guarded(views.requests), name="conversations_usage_requests"),
            *super().get_urls(),
        ]

    def found_by(self, term: str) -> Q:
        """Return the search condition by the user's name in the ledger, which outlives the user."""
        named = DailyUsage.objects.filter(username=term).values_list("user", flat=True).distinct()
        return super().found_by(term) | Q(user__in=list(named))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Answer with the list, and with the sums of all filtered rows, not only of the page."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            changelist = response.context_data["cl"]
            [filtered] = changelist.filter_specs
            scope = filtered.form.scope
            response.context_data["total"] = Sums.of(changelist.queryset if filtered.looked_up else scope.summable())
            response.context_data["query"] = scope.query
        return response

    @admin.display(description="input")
    def input_shown(self, usage: Usage) -> str:
        """Return the tokens of input that were neither read from the cache nor written to it."""
        return f"{usage.input_tokens:,}"

    @admin.display(description="output")
    def output_shown(self, usage: Usage) -> str:
        """Return the tokens of output."""
        return f"{usage.output_tokens:,}"

    @admin.display(description="cache read")
    def cache_read(self, usage: Usage) -> str:
        """Return the tokens that were read from the cache."""
        return f"{usage.cache_read_tokens:,}"

    @admin.display(description="cache written")
    def cache_written(self, usage: Usage) -> str:
        """Return the tokens that were written to the cache, for five minutes and for an hour."""
        return f"{usage.cache_write_5m_tokens + usage.cache_write_1h_tokens:,}"

    @admin.display(description="outcome")
    def outcome(self, usage: Usage) -> str:
        """Return how the request ended, or that the row is a correction."""
        return "correction" if usage.corrects_id else usage.error_type or usage.stop_reason or "cut"

    @admin.display(description="cost")
    def price(self, usage: Usage) -> str:
        """Return the cost in US dollars, where an unknown price differs from a price of zero."""
        return "unknown" if usage.cost is None else f"${usage.cost:.6f}"

    @admin.display(description="transcript")
    def transcript(self, usage: Usage) -> SafeString | str:
        """Return a link to the events of the request's turn."""
        if not usage.turn_id:
            return "-"
        url = reverse("admin:conversations_turn_transcript", args=[usage.turn_id])
        return format_html('<a href="{}">Every event of its turn</a>', url)

    @admin.display(description="prices")
    def prices_shown(self, usage: Usage) -> SafeString:
        """Return the prices in US dollars per million tokens of each class, rendered as JSON."""
        return rendering.rendered_json(usage.prices)

    @admin.display(description="Claude's own count")
    def raw_shown(self, usage: Usage) -> SafeString:
        """Return Claude's usage object unchanged, rendered as JSON."""
        return rendering.rendered_json(usage.raw)
