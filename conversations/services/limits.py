"""How much a user may ask for at once and in a minute, counted in Postgres, and so over all processes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, F, Min, OuterRef, Sum

from conversations import clock
from conversations.errors import RateLimited
from conversations.models import Turn, Usage, User

WINDOW = timedelta(minutes=1)
SOON = 1.0  # seconds after which a turn that runs may have ended
TOKENS = F("input_tokens") + F("output_tokens") + F("cache_write_5m_tokens") + F("cache_write_1h_tokens")


@dataclass(frozen=True)
class Limit:
    """A limit, and how far it is used."""

    name: str
    most: int
    used: int
    reset: float
    """Seconds until there is more room, if nothing else is asked meanwhile."""

    @property
    def remaining(self) -> int:
        """What is left of it."""
        return max(0, self.most - self.used)


def check(user: User) -> None:
    """Raises RateLimited where another turn would be too much. Within the transaction that creates it.

    A user's requests wait here for each other, so that of two for the last place one is refused.
    """
    if not _configured():
        return
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    for limit in of(user):
        if limit.used >= limit.most:
            raise RateLimited(
                f"{limit.name} is limited to {limit.most}.",
                details={"limit": limit.name, "most": limit.most, "used": limit.used},
                retry_after=limit.reset,
            )


def of(user: User) -> list[Limit]:
    """The limits that there are, as the user has used them."""
    return [COUNTED[name](user, name, most) for name, most in _configured().items()]


def headers(user: User) -> dict[str, str]:
    """That of the limits of a minute which is reached first, as `RateLimit` headers tell it."""
    of_a_minute = [each for each in of(user) if each.name.endswith("_per_minute")]
    tightest = min(of_a_minute, key=lambda each: each.remaining / each.most, default=None)
    if tightest is None:
        return {}
    return {
        "RateLimit-Limit": str(tightest.most),
        "RateLimit-Remaining": str(tightest.remaining),
        "RateLimit-Reset": str(round(tightest.reset)),
    }


def _configured() -> dict[str, int]:
    found = {name: getattr(settings, f"COLLOQUY_{name.upper()}") for name in COUNTED}
    return {name: most for name, most in found.items() if most}


def _turns(user: User, name: str, most: int) -> Limit:
    """Those whose conversation is gone meanwhile count as well: the ledger has them, from their end."""
    now = clock.now()
    recent = Turn.objects.filter(user=user, created_at__gt=now - WINDOW)
    kept = recent.aggregate(used=Count("pk"), first=Min("created_at"))
    booked = Usage.objects.filter(user=user, created_at__gt=now - WINDOW, turn_id__isnull=False)
    gone = booked.exclude(Exists(Turn.objects.filter(pk=OuterRef("turn_id"))))
    deleted = gone.aggregate(used=Count("turn_id", distinct=True), first=Min("created_at"))
    first = min(filter(None, (kept["first"], deleted["first"])), default=None)
    return Limit(name, most, kept["used"] + deleted["used"], _until(first, now))


def _concurrent(user: User, name: str, most: int) -> Limit:
    return Limit(name, most, Turn.objects.filter(user=user, status__in=(Turn.QUEUED, Turn.RUNNING)).count(), SOON)


def _tokens(user: User, name: str, most: int) -> Limit:
    """Those of the requests that have ended. What is read from the cache does not count, as with Claude itself."""
    now = clock.now()
    recent = Usage.objects.filter(user=user, created_at__gt=now - WINDOW)
    found = recent.aggregate(used=Sum(TOKENS), first=Min("created_at"))
    return Limit(name, most, found["used"] or 0, _until(found["first"], now))


def _until(first: datetime | None, now: datetime) -> float:
    return (first + WINDOW - now).total_seconds() if first else 0.0


COUNTED = {"turns_per_minute": _turns, "concurrent_turns": _concurrent, "tokens_per_minute": _tokens}
