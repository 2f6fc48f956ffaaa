"""Limits on failed logins, counted in Postgres over all processes, by the database's clock."""

from __future__ import annotations

import ipaddress
import math
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, QuerySet
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from conversations.errors import RateLimited
from conversations.models import FailedLogin

WINDOW = timedelta(minutes=5)
NETWORK = 64  # bits of an IPv6 address that are one subscriber's
OF_AN_ADDRESS, OF_A_NAME = 3, 10
"""How many times as many failures an address may have with all names, and a name from all addresses.

The last is the loosest: else anybody could keep a user out by failing in their name from elsewhere.
"""


def count_attempt(*, name: str, address: str) -> FailedLogin:
    """Count an attempt as failed, until `forget_attempts` reverts that; so concurrent attempts count as well.

    Raises RateLimited where too many have failed within `WINDOW`.
    """
    attempt = FailedLogin(name=_digest(name), address=_network(address))
    with transaction.atomic():
        _wait_for_others(attempt)
        if settings.COLLOQUY_FAILED_LOGINS:
            _refuse_too_many(attempt)
        attempt.save()
    return attempt


def forget_attempts(attempt: FailedLogin) -> None:
    """Delete the failures of this name from this address after a successful login."""
    FailedLogin.objects.filter(name=attempt.name, address=attempt.address).delete()


def forget_name(name: str) -> None:
    """Delete the failures of a name from all addresses: nobody has it any more."""
    FailedLogin.objects.filter(name=_digest(name)).delete()


def forget_old() -> None:
    """Delete failures that count no more."""
    FailedLogin.objects.filter(created_at__lt=Now() - WINDOW).delete()


def _digest(name: str) -> str:
    return salted_hmac("login", name.casefold()).hexdigest()


def _wait_for_others(attempt: FailedLogin) -> None:
    with connection.cursor() as cursor:
        for place, key in enumerate((attempt.address, attempt.name)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [place, key])


def _refuse_too_many(attempt: FailedLogin) -> None:
    recent = FailedLogin.objects.filter(created_at__gt=Now() - WINDOW)
    of_address, of_name = recent.filter(address=attempt.address), recent.filter(name=attempt.name)
    _refuse(of_name.filter(address=attempt.address), 1)
    _refuse(of_address, OF_AN_ADDRESS)
    _refuse(of_name, OF_A_NAME)


def _refuse(failed: QuerySet[FailedLogin], times: int) -> None:
    found = failed.aggregate(count=Count("pk"), age=Now() - Min("created_at"))
    if found["count"] >= settings.COLLOQUY_FAILED_LOGINS * times:
        wait = max(1.0, (WINDOW - found["age"]).total_seconds())
        raise RateLimited(f"Too many logins have failed. Try again in {math.ceil(wait)} seconds.", retry_after=wait)


def _network(address: str) -> str:
    """Return an IPv4 address, or the network of an IPv6 address, of which anybody has many."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:45]
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(found), NETWORK), strict=False).network_address)
    return str(found)
