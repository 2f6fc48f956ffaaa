"""The limit on a user's requests per minute and process."""

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
KNOWN = 10_000  # users whose rates are kept; beyond it, users without recent requests are forgotten


class RequestRate(BaseThrottle):
    """Allows each user `COLLOQUY_REQUESTS_PER_MINUTE` requests; 0 for no limit."""

    def allow_request(self, request: Request, view: object) -> bool:
        """Return True. Raise RateLimited if the limit is exceeded."""
        if not settings.COLLOQUY_REQUESTS_PER_MINUTE or not isinstance(request.user, User):
            return True
        rate = rate_of(request.user)
        if not rate.takes():
            most = math.floor(settings.COLLOQUY_REQUESTS_PER_MINUTE)
            raise RateLimited(
                f"You have made {most} requests within a minute, the maximum ({NAME}).",
                details={"limit": NAME, "most": most},
                retry_after=max(1.0, rate.wait),
            )
        return True


def rate_of(user: User) -> Rate:
    """Return the rate of a user in this process. The app keeps it, for all threads."""
    known: dict[uuid.UUID, Rate] = apps.get_app_config("conversations").request_rates  # type: ignore[attr-defined]
    if len(known) > KNOWN:
        for id in [id for id, rate in list(known.items()) if not rate.used]:
            known.pop(id, None)
    return known.setdefault(user.pk, Rate(settings.COLLOQUY_REQUESTS_PER_MINUTE))
