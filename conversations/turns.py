"""Running a turn: `run` takes an id and nothing else, and ends it whatever happens."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from conversations.claude import client
from conversations.database import AWAY, in_database
from conversations.errors import ColloquyError
from conversations.journal import Live
from conversations.models import LostTurn, Turn
from conversations.runner import Stop, Stopped
from conversations.services import turns
from conversations.services.turns import Ending
from conversations.services.usage import Upstream
from conversations.transcript import Event, is_delta

if TYPE_CHECKING:
    from conversations.engine import Engine

logger = logging.getLogger(__name__)

RETRY = 0.5  # seconds between attempts to end a turn while Postgres is away
INTERNAL_ERROR = {"type": "api_error", "message": "The platform could not run this turn; its log says why."}


class Turns:
    """The turns that this process runs."""

    name = "turn"
    to_cancel = staticmethod(Turn.to_cancel)
    abandoned = staticmethod(Turn.abandoned)
    waiting = staticmethod(Turn.waiting)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def settle(self, id: uuid.UUID) -> None:
        """Ends a turn whose process was lost."""
        turns.settle(turn_id=id)

    async def run(self, id: uuid.UUID, stop: Stop) -> None:
        """Claims a turn, asks Claude, keeps and shows what comes, and ends it."""
        turn = await in_database(turns.claim, turn_id=id, holder=self._engine.process)
        if turn is None:
            return
        live = self._engine.journal.open(id, turn.fence)
        try:
            await self._end(live, await self._answered(live, turn, stop))
        except LostTurn:
            logger.warning("Turn %s was lost to another process", id)
        finally:
            self._engine.journal.close(live)

    async def _answered(self, live: Live, turn: Turn, stop: Stop) -> Ending:
        """Asks Claude; how that ended."""
        request = _Request()
        try:
            await stop.able(self._ask(live, turn, request))
        except Stopped as stopped:
            return request.ending(stopped.reason)
        except ColloquyError as error:
            return request.ending(Turn.Status.FAILED, {"type": error.type, "message": str(error)})
        except (LostTurn, asyncio.CancelledError):
            raise
        except Exception:  # whatever it was, the turn has to end
            logger.exception("Turn %s failed", turn.pk)
            return request.ending(Turn.Status.FAILED, INTERNAL_ERROR)
        return request.ending(Turn.Status.COMPLETED)

    async def _ask(self, live: Live, turn: Turn, request: _Request) -> None:
        journal = self._engine.journal
        await journal.append(live, turns.turn_start(turn))
        body = await in_database(turns.request_for, turn)
        request.sent()
        async with client.open_stream(body) as stream:
            request.request_id = stream.request_id or ""
            async for event in stream:
                if request.keeps(event):
                    await journal.append(live, event)

    async def _end(self, live: Live, ending: Ending) -> None:
        """Commits the end, however long Postgres is away, and shows it."""
        events = await self._engine.journal.hand_over(live)
        while True:
            try:
                tail = await in_database(
                    turns.finish, turn_id=live.turn, fence=live.fence, events=events, ending=ending
                )
                live.show(tail)
                return
            except AWAY as error:
                logger.warning("Turn %s waits for Postgres to end: %s", live.turn, error)
                await asyncio.sleep(RETRY)


class _Request:
    """The upstream request of a turn: what to keep of its stream, and its times."""

    def __init__(self) -> None:
        self.request_id = ""
        self._sent_at: float | None = None
        self._first_delta_at: float | None = None
        self._begun = False

    def sent(self) -> None:
        """It goes out now."""
        self._sent_at = time.monotonic()

    def keeps(self, event: Event) -> bool:
        """Whether an event belongs to the transcript: not pings, nor a second beginning of the one message."""
        if event.get("type") == "message_start":
            repeated, self._begun = self._begun, True
            return not repeated
        if self._first_delta_at is None and is_delta(event):
            self._first_delta_at = time.monotonic()
        return event.get("type") != "ping"

    def ending(self, status: str, error: dict[str, Any] | None = None) -> Ending:
        """The end of a turn that made this one request."""
        upstream = Upstream(
            request_id=self.request_id,
            error_type=error["type"] if error else "",
            duration=self._since_sent(time.monotonic()),
            time_to_first_delta=self._since_sent(self._first_delta_at),
        )
        return Ending(status, error, (upstream,))

    def _since_sent(self, at: float | None) -> timedelta | None:
        return None if at is None or self._sent_at is None else timedelta(seconds=at - self._sent_at)
