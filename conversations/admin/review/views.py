"""The review's pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from conversations.admin.review import dashboard, export, levels
from conversations.admin.review.form import ScopeForm
from conversations.admin.review.sums import CLASSES, Sums

MAY_SEE = "conversations.view_usage"


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the admin's first page shows to those who may see the ledger: the dashboard."""
    if not request.user.has_perm(MAY_SEE):
        return context
    form = ScopeForm(request.GET)
    return {**context, "title": "Usage", "form": form, "dashboard": dashboard.context(form.scope)}


@permission_required(MAY_SEE, raise_exception=True)
def review(request: HttpRequest) -> HttpResponseBase:
    """A scope's sums, divided by one level, as a page or, with `export`, as a file."""
    form = ScopeForm(request.GET)
    scope = form.scope
    level = levels.of(scope, request.GET.get("by", ""))
    if (kind := request.GET.get("export")) in export.KINDS:
        return export.sums(level, scope, str(kind))
    number = _page(request.GET.get("page", ""))
    rows, more = levels.page(level, scope, number)
    context = {
        **admin.site.each_context(request),
        "title": "Usage",
        "subtitle": level.heading,
        "form": form,
        "total": Sums.of(scope.summable()),
        "classes": CLASSES,
        "level": level,
        "rows": rows,
        "page": number,
        "more": more,
        "here": levels.address(scope, level.name),
        "levels": [(each, levels.address(scope, each.name)) for each in levels.possible(scope)],
        "trail": levels.trail(scope),
        "query": scope.query,
    }
    return TemplateResponse(request, "conversations/review.html", context)


def _page(given: str) -> int:
    return max(1, int(given)) if given.isascii() and given.isdecimal() and len(given) < 6 else 1


@permission_required(MAY_SEE, raise_exception=True)
def requests(request: HttpRequest) -> HttpResponseBase:
    """The ledger's rows of a scope, as a file."""
    scope = ScopeForm(request.GET).scope
    kind = request.GET.get("export", "")
    kind = kind if kind in export.KINDS else "csv"
    if export.too_many(scope, kind):
        most = f"{export.WORKBOOK:,}"
        messages.error(request, f"A workbook has at most {most} requests: take CSV, or a shorter period.")
        return HttpResponseRedirect(levels.address(scope))
    return export.requests(scope, kind)
