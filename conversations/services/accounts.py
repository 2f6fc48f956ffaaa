"""Tokens for API clients and one-time tickets for WebSockets."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.models import AuthToken, get_token_model
from rest_framework.exceptions import AuthenticationFailed

from conversations.models import Ticket, User

TICKET_SECONDS = 30
DELETIONS = 5


def issue_token(*, user: User) -> tuple[AuthToken, str]:
    """A token of the user's, and its text, which is kept nowhere."""
    issued: tuple[AuthToken, str] = get_token_model().objects.create(user=user)
    return issued


def delete(*, user: User) -> None:
    """Deletes a user with everything of theirs but the ledger's rows; what runs for them is booked and stopped.

    A turn that ends meanwhile writes what the deletion has not seen: then it begins anew.
    """
    found = User.objects.filter(pk=user.pk)
    for attempt in range(1, DELETIONS + 1):
        try:
            with transaction.atomic():
                found.delete()
                connection.check_constraints()  # now, not at the commit of whoever called
            return
        except IntegrityError:
            if attempt == DELETIONS:
                raise


def issue_ticket(*, user: User) -> str:
    """A pass for one WebSocket handshake within `TICKET_SECONDS`."""
    ticket = secrets.token_urlsafe(32)
    now = timezone.now()
    Ticket.objects.filter(expires_at__lt=now).delete()
    Ticket.objects.create(digest=_digest(ticket), user=user, expires_at=now + timedelta(seconds=TICKET_SECONDS))
    return ticket


def redeem_ticket(*, ticket: str) -> User | None:
    """The user whose ticket this is. It is gone with that, so that of two redemptions only one gets the user."""
    found = Ticket.objects.select_related("user").filter(digest=_digest(ticket), expires_at__gt=timezone.now()).first()
    if found is None or not Ticket.objects.filter(pk=found.pk).delete()[0]:
        return None
    return found.user if found.user.is_active else None


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def is_valid(token: str) -> bool:
    """Whether a token still opens the API."""
    try:
        TokenAuthentication().authenticate_credentials(token.encode())
    except AuthenticationFailed:
        return False
    return True
