"""Rows of the ledger, for tests of what they cost."""

from __future__ import annotations

import uuid

from conversations.content.folding import Folded
from conversations.models import Usage, User
from conversations.services.billing import ledger


def spender() -> User:
    """A new user."""
    return User.objects.create_user(f"spender-{uuid.uuid4().hex}")


def booked(answer: Folded, model: str = "", user: User | None = None) -> Usage:
    """The row of an answer, as it is in the database."""
    row = ledger.book(
        ledger.ledger_row(user=user or spender(), answer=answer, model=model, upstream=ledger.RequestRecord())
    )
    return Usage.objects.get(pk=row.pk)


def answer(**used: object) -> Folded:
    """An answer that used this, in the names of Claude's usage object."""
    return Folded("assistant", usage=used, stopped=True)
