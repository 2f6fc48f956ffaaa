"""Retrying requests that Claude did not accept, for a bounded time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.conf import settings

from conversations.errors import ClaudeError

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds, where Claude names none; the SDK's own


async def retried(attempt: Callable[[], Awaitable[T]]) -> T:
    """Return the result of `attempt`, which is retried up to ANTHROPIC_MAX_RETRIES times if a ClaudeError permits.

    The pause before each retry is as long as Claude asks for, else 0.5 s, doubled each time. Raise the last ClaudeError
    if the next attempt would begin later than COLLOQUY_RETRY_TIME seconds after the first.
    """
    clock = asyncio.get_running_loop().time
    latest = clock() + settings.COLLOQUY_RETRY_TIME
    for number in range(settings.ANTHROPIC_MAX_RETRIES):
        try:
            return await attempt()
        except ClaudeError as error:
            pause = error.retry_after or _pause(number)
            if not error.retryable or clock() + pause > latest:
                raise
        await asyncio.sleep(pause)
    return await attempt()


def _pause(number: int) -> float:
    longest = min(FIRST_PAUSE * 2.0**number, LONGEST_PAUSE)
    return longest * random.uniform(0.75, 1)  # noqa: S311 - it only keeps clients apart
