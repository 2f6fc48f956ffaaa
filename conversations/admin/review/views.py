"""The views of the usage review in the admin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from conversations.admin.review import changes, dashboard, export, levels, presets, report, saved
from conversations.admin.review.form import ScopeForm
from conversations.admin.review.totals import CLASSES, Sums
from conversations.models import SavedFilter, User
from conversations.tables import KINDS

MAY_SEE = "conversations.view_usage"


def overview(request: HttpRequest, context: dict[str, object]) -> dict[str, object]:
    """Add the dashboard to the admin's first page, for users who may see the ledger."""
    if not request.user.has_perm(MAY_SEE):
        return context
    form = ScopeForm(request.GET)
    scope = form.scope
    shown = {
        "title": "Usage",
        **_filters(request, SavedFilter.Page.DASHBOARD, form),
        "dashboard": dashboard.context(scope),
    }
    return {**context, **shown}


@permission_required(MAY_SEE, raise_exception=True)
def review(request: HttpRequest) -> HttpResponseBase:
    """Answer with a scope's sums by one level, as a page or, with `export`, as a file."""
    form = ScopeForm(request.GET)
    scope = form.scope
    level = levels.level_named(scope, request.GET.get("by", ""))
    if (kind := request.GET.get("export")) in KINDS:
        return export.export_sums(level, scope, str(kind))
    number = _page(request.GET.get("page", ""))
    rows, more = levels.page_of_level(level, scope, number)
    context = {
        **_every_page(request, SavedFilter.Page.REVIEW, form, by=level.name),
        "subtitle": level.heading,
        "total": Sums.of(scope.summable()),
        "before": Sums.of(scope.before.summable()),
        "period_before": scope.before.span,
        "classes": CLASSES,
        "level": level,
        "rows": rows,
        "page": number,
        "more": more,
        "here": levels.address(scope, level.name),
    }
    return TemplateResponse(request, "conversations/review.html", context)


@permission_required(MAY_SEE, raise_exception=True)
def changes_page(request: HttpRequest) -> HttpResponseBase:
    """Show the changes in a scope since an earlier period or, with `export`, return them as a file."""
    form = ScopeForm(request.GET)
    scope = form.scope
    found = changes.comparison(scope, request.GET.get("against", ""), request.GET.get("by", ""))
    if (kind := request.GET.get("export")) in KINDS:
        return export.export_changes(found, str(kind))
    against, by = found.against, found.division.name
    context = {
        **_every_page(request, SavedFilter.Page.CHANGES, form, against=against, by=by),
        "subtitle": "What changed",
        "rows": found.largest(),
        "division": found.division,
        "whole": found.whole,
        "period": scope.span,
        "period_before": found.before.span,
        "is_not_over": changes.is_not_over(scope, datetime.now(UTC).date()),
        "here": changes.address(scope, against, by),
        "against": [
            (called, changes.address(scope, name, by), name == against)
            for name, called in changes.possible_comparisons(scope).items()
        ],
        "divisions": [
            (each.heading, changes.address(scope, against, each.name), each == found.division)
            for each in changes.possible_divisions(scope)
        ],
    }
    return TemplateResponse(request, "conversations/changes.html", context)


def _filters(request: HttpRequest, page: str, form: ScopeForm, **kept: str) -> dict[str, object]:
    """Return the template context of a page's filters: form, periods, saved filters and other parameters."""
    return {
        "form": form,
        "presets": presets.presets_for(form.scope),
        "saved": saved.choices(cast(User, request.user)),
        "save_form": saved.form_for(page, form.scope, **kept),
        "kept": kept,
        "report_url": f"{reverse('admin:conversations_usage_report')}?{form.scope.query}",
    }


def _every_page(request: HttpRequest, page: str, form: ScopeForm, **kept: str) -> dict[str, object]:
    """Return the template context of all review pages but the dashboard: filters, breadcrumbs, links."""
    scope = form.scope
    return {
        **admin.site.each_context(request),
        "title": "Usage",
        **_filters(request, page, form, **kept),
        "levels": [(each, levels.address(scope, each.name)) for each in levels.possible_levels(scope)],
        "changes_url": changes.address(scope),
        "trail": levels.trail(scope),
        "query": scope.query,
    }


def _page(given: str) -> int:
    return max(1, int(given)) if given.isascii() and given.isdecimal() and len(given) < 6 else 1


@permission_required(MAY_SEE, raise_exception=True)
def requests(request: HttpRequest) -> HttpResponseBase:
    """Answer with the ledger's rows of a scope, as a file."""
    scope = ScopeForm(request.GET).scope
    kind = request.GET.get("export", "")
    kind = kind if kind in KINDS else "csv"
    if export.too_many(scope, kind):
        most = f"{export.WORKBOOK:,}"
        messages.error(request, f"A workbook can have at most {most} requests: choose CSV, or a shorter period.")
        return HttpResponseRedirect(levels.address(scope))
    return export.export_requests(scope, kind)


@permission_required(MAY_SEE, raise_exception=True)
def month_report(request: HttpRequest) -> HttpResponseBase:
    """Answer with the report for the month of a scope's last day as a PDF."""
    from conversations.admin.review import report_pdf  # here: most processes never print a report

    form = ScopeForm(request.GET)
    if not form.is_valid():
        messages.error(request, "There is no report for filters that name what does not exist.")
        return HttpResponseRedirect(reverse("admin:index"))
    scope, user, now = form.scope, request.user, datetime.now(UTC)
    seen = ("conversations.view_conversation", "conversations.view_budget")
    reader = report.Reader(user.get_username(), *(user.has_perm(each) for each in seen))
    month = report.Month.of(scope, scope.span[1], now.date())
    pdf = report_pdf.drawn(report.read(month, reader, now))
    name = f"usage_{month.scope.since:%Y-%m}.pdf"
    return HttpResponse(
        pdf,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"},
    )
