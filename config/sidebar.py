"""The admin's sidebar, with the entries that each member of the staff may open."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

Entry = dict[str, object]

USAGE = "conversations.view_usage"
EXTRACTIONS = "extraction.view_extraction"


def navigation(request: HttpRequest) -> list[dict[str, object]]:
    """Return the sidebar's groups in the form of unfold's setting SIDEBAR, navigation."""
    review = reverse("admin:conversations_usage_review")
    saved = reverse("admin:conversations_savedfilter_changelist")
    groups = {
        "Usage": [
            _entry(request, "Dashboard", "monitoring", reverse("admin:index"), USAGE),
            _entry(request, "Users and models", "group_work", f"{review}?by=user-model", USAGE),
            _entry(request, "What changed", "compare_arrows", reverse("admin:conversations_usage_changes"), USAGE),
            _list(request, "Requests", "receipt_long", "conversations", "usage"),
            _entry(request, "Saved filters", "bookmark", saved, USAGE),
        ],
        "Budgets and prices": [
            _list(request, "Budgets", "savings", "conversations", "budget"),
            _list(request, "Prices", "sell", "conversations", "price"),
        ],
        "People": [
            _list(request, "Users", "person", "conversations", "user"),
            _list(request, "Groups", "groups", "auth", "group"),
            _list(request, "Tokens", "key", "knox", "authtoken"),
            _list(request, "Retention", "auto_delete", "conversations", "retention"),
            _list(request, "Deletions", "delete_history", "conversations", "deletion"),
            _list(request, "Access by staff", "visibility", "conversations", "opening"),
        ],
        "Conversations": [
            _list(request, "Conversations", "forum", "conversations", "conversation"),
            _list(request, "Shares", "share", "conversations", "share"),
            _list(request, "Turns", "swap_vert", "conversations", "turn"),
            _list(request, "Messages", "chat_bubble", "conversations", "message"),
            _list(request, "Feedback", "thumbs_up_down", "conversations", "feedback"),
            _list(request, "Attachments", "attach_file", "conversations", "attachment"),
        ],
        "Extraction": _extraction(request),
        "Health": _health(request),
    }
    shown = {title: [each for each in entries if each["allowed"]] for title, entries in groups.items()}
    return [{"title": title, "separator": True, "items": entries} for title, entries in shown.items() if entries]


def _extraction(request: HttpRequest) -> list[Entry]:
    return [
        _list(request, "Extractions", "data_object", "extraction", "extraction"),
        _entry(request, "To review", "rate_review", reverse("admin:extraction_extraction_queue"), EXTRACTIONS),
        _list(request, "Batches", "stacks", "extraction", "batch"),
        _list(request, "Items of batches", "list", "extraction", "item"),
        _list(request, "Evaluations", "balance", "extraction", "evaluation"),
    ]


def _health(request: HttpRequest) -> list[Entry]:
    turns = reverse("admin:conversations_turn_changelist")
    return [
        _entry(request, "Failed turns", "error", f"{turns}?error=any", "conversations.view_turn"),
        _list(request, "Checks of the ledger", "fact_check", "conversations", "audit"),
        _list(request, "Jobs", "schedule", "procrastinate", "procrastinatejob"),
    ]


def _list(request: HttpRequest, title: str, icon: str, app: str, model: str) -> Entry:
    return _entry(request, title, icon, reverse(f"admin:{app}_{model}_changelist"), f"{app}.view_{model}")


def _entry(request: HttpRequest, title: str, icon: str, link: str, permission: str) -> Entry:
    allowed = request.user.has_perm(permission)
    return {"title": title, "icon": icon, "link": link, "active": _is_open(request, link), "allowed": allowed}


def _is_open(request: HttpRequest, link: str) -> bool:
    """Return whether a link's page is shown; of two lists that differ in their filters, only one is."""
    path, _, query = link.partition("?")
    if query:
        return request.path == path and query in request.GET.urlencode()
    within = path != reverse("admin:index") and request.path.removeprefix(path).endswith(("/change/", "/add/"))
    return (request.path == path and request.GET.get("error") != "any") or (request.path.startswith(path) and within)
