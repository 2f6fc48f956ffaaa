"""The turns that begin in a conversation while a client follows it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable

from conversations.database import persistently
from conversations.models import Turn
from conversations.running.engine import engine


async def new_turns(conversation: uuid.UUID, looking: Callable[[], object]) -> AsyncIterator[uuid.UUID]:
    """Yield the ids of turns that begin after `looking` was called, by any user, on any process."""
    here = await engine()
    with here.wakes.waiting(conversation) as news:
        known = set(await persistently(_latest, conversation, begun=True))
        looking()
        while True:
            news.clear()
            for turn in await persistently(_latest, conversation):
                if turn not in known:
                    known.add(turn)
                    yield turn
            await news.wait()


def _latest(conversation: uuid.UUID, *, begun: bool = False) -> list[uuid.UUID]:
    """Return the newest turns, oldest first; only those that have begun, if requested.

    The number is much larger than the turns that can begin between two looks, since one ends before the next.
    """
    rows = Turn.objects.filter(conversation_id=conversation).order_by("-created_at", "-pk")
    found = rows.filter(started_at__isnull=False) if begun else rows
    return list(reversed(found.values_list("pk", flat=True)[:100]))
