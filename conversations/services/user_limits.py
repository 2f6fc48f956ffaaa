"""How much a user may ask for at once and in a minute, counted in Postgres, and so over all processes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.conf import settings

from conversations.database import prepared
from conversations.errors import RateLimited
from conversations.models import Turn, User

WINDOW = "1 minute"
SOON = 1.0  # seconds after which a turn that runs may have ended
REACHED = {
    "turns_per_minute": "You have begun {} turns within a minute, which is the most that is taken",
    "concurrent_turns": "You have {} turns that have not ended, which is the most at once",
    "tokens_per_minute": "You have used {} tokens within a minute, or more, which is the most",
}
NAMES = tuple(REACHED)

# Turns whose conversation is gone meanwhile count as well: the ledger has them, from their end. Tokens are those of the
# requests that have ended; what is read from the cache does not count, as with Claude itself.
USED = """
WITH recent AS (
    SELECT id, created_at FROM conversations_turn
    WHERE user_id = %(user)s AND created_at > statement_timestamp() - %(window)s::interval
), booked AS (
    SELECT turn_id, created_at,
        input_tokens + output_tokens + cache_write_5m_tokens + cache_write_1h_tokens AS tokens
    FROM conversations_usage WHERE user_id = %(user)s AND created_at > statement_timestamp() - %(window)s::interval
), begun AS (
    SELECT id, created_at FROM recent
    UNION ALL
    SELECT turn_id, min(created_at) FROM booked
    WHERE turn_id IS NOT NULL AND NOT EXISTS (SELECT FROM conversations_turn AS turn WHERE turn.id = booked.turn_id)
    GROUP BY turn_id
)
SELECT
    (SELECT count(*) FROM begun),
    (SELECT coalesce(extract(epoch FROM min(created_at) + %(window)s::interval - statement_timestamp()), 0) FROM begun),
    (SELECT count(*) FROM conversations_turn WHERE user_id = %(user)s AND status = ANY(%(active)s)),
    (SELECT coalesce(sum(tokens), 0) FROM booked),
    (SELECT coalesce(extract(epoch FROM min(created_at) + %(window)s::interval - statement_timestamp()), 0) FROM booked)
"""


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
        """Return what is left of the limit."""
        return max(0, self.most - self.used)


def check_limits(user: User) -> None:
    """Refuse another turn where it would be too much: raises RateLimited. Within the transaction that creates it.

    A user's requests wait here for each other, so that of two for the last place one is refused.
    """
    if not _configured():
        return
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    for limit in limits_of(user):
        if limit.used >= limit.most:
            raise RateLimited(
                f"{REACHED[limit.name].format(limit.most)} ({limit.name}). Wait {math.ceil(limit.reset)} seconds.",
                details={"limit": limit.name, "most": limit.most, "used": limit.used},
                retry_after=limit.reset,
            )


def limits_of(user: User) -> list[Limit]:
    """Return the limits that there are, as the user has used them, found in one statement."""
    configured = _configured()
    if not configured:
        return []
    values = {"user": user.pk, "window": WINDOW, "active": [Turn.QUEUED, Turn.RUNNING]}
    [[turns, turns_reset, concurrent, tokens, tokens_reset]] = prepared(USED, values)
    found = {
        "turns_per_minute": (turns, turns_reset),
        "concurrent_turns": (concurrent, SOON),
        "tokens_per_minute": (tokens, tokens_reset),
    }
    return [Limit(name, most, int(found[name][0]), float(found[name][1])) for name, most in configured.items()]


def rate_limit_headers(user: User) -> dict[str, str]:
    """Return the limit of a minute that is reached first, as `RateLimit` headers."""
    of_a_minute = [each for each in limits_of(user) if each.name.endswith("_per_minute")]
    tightest = min(of_a_minute, key=lambda each: each.remaining / each.most, default=None)
    if tightest is None:
        return {}
    return {
        "RateLimit-Limit": str(tightest.most),
        "RateLimit-Remaining": str(tightest.remaining),
        "RateLimit-Reset": str(round(tightest.reset)),
    }


def _configured() -> dict[str, int]:
    found = {name: getattr(settings, f"COLLOQUY_{name.upper()}") for name in NAMES}
    return {name: most for name, most in found.items() if most}
