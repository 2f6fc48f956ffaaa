"""Ledger rows for tests of prices."""

from __future__ import annotations

import uuid

from conversations.content.folding import Folded
from conversations.models import Usage, User
from conversations.services.billing import ledger


def spender() -> User:
    """Create a user."""
    return User.objects.create_user(f"spender-{uuid.uuid4().hex}")


def booked(answer: Folded, model: str = "", user: User | None = None) -> Usage:
    """Book an answer; return its ledger row, as read from the database."""
    row = ledger.book(
        ledger.ledger_row(user=user or spender(), answer=answer, model=model, upstream=ledger.RequestRecord())
    )
    return Usage.objects.get(pk=row.pk)


def answer(**used: object) -> Folded:
    """Return an answer with this usage, in the field names of Claude's usage object."""
    return Folded("assistant", usage=used, stopped=True)
