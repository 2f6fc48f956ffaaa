"""Storing the filters of the usage review under a name."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from conversations.models import SavedFilter, User


@dataclass(frozen=True)
class Filters:
    """What is stored: a page of the review with its period and its filters, which were checked by its form."""

    page: str
    period: str
    query: str


def save_filter(*, owner: User, name: str, filters: Filters, shared: bool) -> tuple[SavedFilter, bool]:
    """Store filters under a name, in the place of those that the owner has under it; return them, and whether new."""
    stored = {**asdict(filters), "shared": shared}
    return SavedFilter.objects.update_or_create(owner=owner, name=name, defaults=stored)
