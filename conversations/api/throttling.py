"""How many requests a user may make to a process in a minute."""

from __future__ import annotations

import math
import uuid

from django.apps import apps
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from conversations.errors import RateLimited
from conversations.models import User
from conversations.rates import Rate

NAME = "requests_per_minute"
KNOWN = 10_000  # users whose rates are kept; then those that have not asked for a while are forgotten


class RequestRate(BaseThrottle):
    """Lets each user make `COLLOQUY_REQUESTS_PER_MINUTE` requests; 0 for as many as they like."""

    def allow_request(self, request: Request, view: object) -> bool:
        """Return True. Raises RateLimited for a request too many."""
        if not settings.COLLOQUY_REQUESTS_PER_MINUTE or not isinstance(request.user, User):
            return True
        rate = rate_of(request.user)
        if not rate.takes():
            most = math.floor(settings.COLLOQUY_REQUESTS_PER_MINUTE)
            raise RateLimited(
                f"You have made {most} requests within a minute, which is the most that is taken ({NAME}).",
                details={"limit": NAME, "most": most},
                retry_after=max(1.0, rate.wait),
            )
        return True


def rate_of(user: User) -> Rate:
    """Return how often a user asks this process. The app keeps that, for all threads."""
    known: dict[uuid.UUID, Rate] = apps.get_app_config("conversations").request_rates  # type: ignore[attr-defined]
    if len(known) > KNOWN:
        for id in [id for id, rate in list(known.items()) if not rate.used]:
            known.pop(id, None)
    return known.setdefault(user.pk, Rate(settings.COLLOQUY_REQUESTS_PER_MINUTE))
