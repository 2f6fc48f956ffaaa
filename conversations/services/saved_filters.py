"""Storing saved filters of the usage review."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from conversations.models import SavedFilter, User


@dataclass(frozen=True)
class Filters:
    """The data of a saved filter: a page with its period and its validated filters."""

    page: str
    period: str
    query: str


def save_filter(*, owner: User, name: str, filters: Filters, shared: bool) -> tuple[SavedFilter, bool]:
    """Store filters under a name, replacing the owner's earlier ones of that name; return them, and whether new."""
    stored = {**asdict(filters), "shared": shared}
    return SavedFilter.objects.update_or_create(owner=owner, name=name, defaults=stored)
