"""Users and groups, tokens for API clients and one-time tickets for WebSockets."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from knox.auth import TokenAuthentication
from knox.models import AuthToken, get_token_model
from rest_framework.exceptions import AuthenticationFailed

from conversations.clock import from_now
from conversations.models import Ticket, User
from conversations.services.accounts.credentials import Credential, revoked

TICKET_SECONDS = 30


def issue_token(*, user: User) -> tuple[AuthToken, str]:
    """Create a token of the user; return it and its text, which is not stored."""
    issued: tuple[AuthToken, str] = get_token_model().objects.create(user=user)
    return issued


def make_group(*, name: str, permissions: Collection[tuple[str, str]]) -> None:
    """Create a group with these permissions, unless it exists or a permission does not exist yet.

    `permissions` are pairs of an app's label and a code name.
    """
    wanted = Q()
    for app, codename in permissions:
        wanted |= Q(content_type__app_label=app, codename=codename)
    found = Permission.objects.filter(wanted)
    with transaction.atomic():
        if len(found) == len(permissions) and not Group.objects.filter(name=name).exists():
            group, _ = Group.objects.get_or_create(name=name)
            group.permissions.set(found)


def issue_ticket(*, user: User, credential: Credential) -> str:
    """Return a ticket for one WebSocket handshake within `TICKET_SECONDS`; it ends with the credential."""
    ticket = secrets.token_urlsafe(32)
    Ticket.objects.filter(expires_at__lt=Now()).delete()
    Ticket.objects.create(
        digest=_digest(ticket),
        user=user,
        token=credential.token,
        session=credential.session,
        expires_at=from_now(TICKET_SECONDS),
    )
    return ticket


def redeem_ticket(*, ticket: str) -> tuple[User, Credential] | None:
    """Return the ticket's user, and the credential that it came from; None if either is not valid.

    The ticket is deleted, so that of two redemptions only one succeeds.
    """
    found = Ticket.objects.select_related("user").filter(digest=_digest(ticket), expires_at__gt=Now()).first()
    if found is None or not Ticket.objects.filter(pk=found.pk).delete()[0]:
        return None
    user = found.user
    of_token = Credential(user.pk, token=found.token)
    credential = of_token if found.token else Credential.of_session(user, found.session)
    return None if revoked([credential]) else (user, credential)


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def is_valid_token(token: str) -> bool:
    """Return whether a token is still valid."""
    try:
        TokenAuthentication().authenticate_credentials(token.encode())
    except AuthenticationFailed:
        return False
    return True
