"""Limits of users' concurrency and requests per minute, counted in Postgres over all processes."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings

from conversations.database import prepared
from conversations.errors import RateLimited
from conversations.models import Turn, User

WINDOW = "1 minute"
SOON = 1.0  # seconds after which a running turn may have ended
REACHED = {
    "turns_per_minute": "You have begun {} turns within a minute, the maximum",
    "concurrent_turns": "You have {} turns that have not ended, the maximum",
    "tokens_per_minute": "You have used {} tokens or more within a minute, the maximum",
}
NAMES = tuple(REACHED)

# Turns of deleted conversations count as well: the ledger has them, once they have ended. Tokens are those of ended
# requests; cache reads do not count, as with Claude's own limits.
USED = """
WITH recent AS (
    SELECT id, created_at FROM conversations_turn
    WHERE user_id = {user} AND created_at > statement_timestamp() - %(window)s::interval
), booked AS (
    SELECT turn_id, created_at,
        input_tokens + output_tokens + cache_write_5m_tokens + cache_write_1h_tokens AS tokens
    FROM conversations_usage WHERE user_id = {user} AND created_at > statement_timestamp() - %(window)s::interval
), begun AS (
    SELECT id, created_at FROM recent
    UNION ALL
    SELECT turn_id, min(created_at) FROM booked
    WHERE turn_id IS NOT NULL AND NOT EXISTS (SELECT FROM conversations_turn AS turn WHERE turn.id = booked.turn_id)
    GROUP BY turn_id
)
SELECT
    (SELECT count(*) FROM begun) AS turns,
    (SELECT extract(epoch FROM min(created_at) + %(window)s::interval - statement_timestamp()) FROM begun)
        AS turns_reset,
    (SELECT count(*) FROM conversations_turn WHERE user_id = {user} AND status = ANY(%(active)s)) AS concurrent,
    (SELECT coalesce(sum(tokens), 0)::bigint FROM booked) AS tokens,
    (SELECT extract(epoch FROM min(created_at) + %(window)s::interval - statement_timestamp()) FROM booked)
        AS tokens_reset
"""

ROOM = """
(%(turns_per_minute)s::bigint IS NULL OR turns < %(turns_per_minute)s)
AND (%(concurrent_turns)s::bigint IS NULL OR concurrent < %(concurrent_turns)s)
AND (%(tokens_per_minute)s::bigint IS NULL OR tokens < %(tokens_per_minute)s)
"""
"""The condition under which a row of USED leaves room for another turn."""


@dataclass(frozen=True)
class Limit:
    """A limit, and its use."""

    name: str
    most: int
    used: int
    reset: float
    """Seconds until the limit permits another turn, if nothing else is requested meanwhile."""

    @property
    def remaining(self) -> int:
        """Return what is left of the limit."""
        return max(0, self.most - self.used)


class Used(NamedTuple):
    """A row of USED: counts, and the seconds until more is permitted; none if nothing is used."""

    turns: int
    turns_reset: Decimal | None
    concurrent: int
    tokens: int
    tokens_reset: Decimal | None

    def with_another_turn(self) -> Used:
        """Return the use after one more turn has begun."""
        reset = Decimal(60) if self.turns_reset is None else self.turns_reset
        return self._replace(turns=self.turns + 1, turns_reset=reset, concurrent=self.concurrent + 1)

    def limits(self) -> list[Limit]:
        """Return the configured limits with their use."""
        found = {
            "turns_per_minute": (self.turns, self.turns_reset or 0),
            "concurrent_turns": (self.concurrent, SOON),
            "tokens_per_minute": (self.tokens, self.tokens_reset or 0),
        }
        return [Limit(name, most, found[name][0], float(found[name][1])) for name, most in configured_limits().items()]


NOTHING_USED = Used(0, None, 0, 0, None)


def parameters_of_limits() -> dict[str, object]:
    """Return the parameters of USED and ROOM."""
    active = [Turn.QUEUED, Turn.RUNNING]
    return {"window": WINDOW, "active": active, **dict.fromkeys(NAMES), **configured_limits()}


def refuse_beyond_limits(used: Used, names: Collection[str] = NAMES) -> None:
    """Raise RateLimited if one of the limits with these names is used up."""
    for limit in used.limits():
        if limit.name in names and limit.used >= limit.most:
            raise RateLimited(
                f"{REACHED[limit.name].format(limit.most)} ({limit.name}). Wait {math.ceil(limit.reset)} seconds.",
                details={"limit": limit.name, "most": limit.most, "used": limit.used},
                retry_after=limit.reset,
            )


def limits_of(user: User) -> list[Limit]:
    """Return the configured limits with their use by a user, by one statement."""
    return used_by(user).limits()


def used_by(user: User) -> Used:
    """Return a user's use of the limits, if any are configured, by one statement."""
    if not configured_limits():
        return NOTHING_USED
    [row] = prepared(USED.format(user="%(user)s"), {"user": user.pk, **parameters_of_limits()})
    return Used(*row)


def rate_limit_headers(used: Used) -> dict[str, str]:
    """Return the `RateLimit` headers of the per-minute limit that is closest to exhaustion."""
    of_a_minute = [each for each in used.limits() if each.name.endswith("_per_minute")]
    tightest = min(of_a_minute, key=lambda each: each.remaining / each.most, default=None)
    if tightest is None:
        return {}
    return {
        "RateLimit-Limit": str(tightest.most),
        "RateLimit-Remaining": str(tightest.remaining),
        "RateLimit-Reset": str(round(tightest.reset)),
    }


def configured_limits() -> dict[str, int]:
    """Return the configured limits by name."""
    found = {name: getattr(settings, f"COLLOQUY_{name.upper()}") for name in NAMES}
    return {name: most for name, most in found.items() if most}
