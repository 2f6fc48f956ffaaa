"""The group of users who review usage and costs, and change nothing."""

from __future__ import annotations

from django.apps import AppConfig
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions

from conversations.services.accounts import accounts

GROUP = "Usage reviewers"
SEEN = {
    "conversations": (
        *("usage", "budget", "price", "audit", "opening"),
        *("user", "conversation", "turn", "message", "attachment", "feedback", "deletion", "retention"),
    ),
    "auth": ("group",),
    "extraction": ("extraction", "attempt", "batch", "item", "evaluation"),
}
"""The models that reviewers may view, by app. Users can see who viewed their data (GET /api/me/access-log/)."""


def make_group(*, sender: AppConfig, apps: Apps, **migration: object) -> None:
    """Create the group if it does not exist, once all permissions exist; later changes by the staff are kept.

    The arguments are those of the signal `post_migrate`: the app that was migrated last, and the present state of all
    apps.
    """
    if "permission" not in apps.all_models["auth"]:
        return
    create_permissions(sender, verbosity=0, apps=apps)  # Django's own receiver may come only after this one
    permissions = [(app, f"view_{model}") for app, models in SEEN.items() for model in models]
    accounts.make_group(name=GROUP, permissions=permissions)
