"""Generating titles of conversations by a small model."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

from conversations.content.folding import fold
from conversations.contract.transcript_events import Event
from conversations.database import persistently
from conversations.errors import ColloquyError
from conversations.models import Titling
from conversations.running.upstream import UpstreamRequest
from conversations.running.work_runner import Stopped, StopSignal
from conversations.services.turns import titles

if TYPE_CHECKING:
    from conversations.running.engine import Engine

logger = logging.getLogger(__name__)


class TitleWork:
    """The titles that this process generates."""

    name = "title"
    tables = None
    to_cancel = staticmethod(Titling.to_cancel)
    abandoned = staticmethod(Titling.abandoned_ids)
    waiting = staticmethod(Titling.waiting)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def settle(self, id: uuid.UUID, process: uuid.UUID) -> None:
        """Give up a title whose process has died."""
        titles.settle(id=id, by=process)

    async def run(self, id: uuid.UUID, stop: StopSignal) -> None:
        """Claim the work, request a title, and store it. Without an answer there is no title."""
        titling = await persistently(titles.claim, id=id, holder=self._engine.process)
        if titling is None:
            return
        events: list[Event] = []
        request = UpstreamRequest()
        try:
            await stop.able(_ask(titling, request, events))
        except (ColloquyError, Stopped) as error:
            logger.warning("Conversation %s could not be given a title: %s", titling.conversation_id, error)
        answer = next(iter(fold(events)), None)
        await persistently(titles.finish, id=id, fence=titling.fence, answer=answer, upstream=request.known())


async def _ask(titling: Titling, request: UpstreamRequest, events: list[Event]) -> None:
    async def keep(together: list[Event]) -> None:
        events.extend(together)

    body = await persistently(titles.begin_request, titling=titling)
    if body is not None:
        await request.ask(body, keep)
