"""Running a turn: `run` takes an id and nothing else, and ends it whatever happens."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from conversations.claude import client
from conversations.database import persistently
from conversations.errors import ColloquyError
from conversations.journal import Live
from conversations.models import LostTurn, Turn
from conversations.runner import Stop, Stopped
from conversations.services import running
from conversations.services.running import Ending
from conversations.services.usage import Upstream
from conversations.transcript import Event, is_delta

if TYPE_CHECKING:
    from conversations.engine import Engine

logger = logging.getLogger(__name__)

INTERNAL_ERROR = {"type": "api_error", "message": "The platform could not run this turn; its log says why."}


class Turns:
    """The turns that this process runs."""

    name = "turn"
    to_cancel = staticmethod(Turn.to_cancel)
    abandoned = staticmethod(Turn.abandoned_ids)
    waiting = staticmethod(Turn.waiting)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def settle(self, id: uuid.UUID, process: uuid.UUID) -> None:
        """Ends a turn that nobody runs any more."""
        running.settle(turn_id=id, by=process)

    async def run(self, id: uuid.UUID, stop: Stop) -> None:
        """Claims a turn, asks Claude, keeps and shows what comes, and ends it."""
        turn = await persistently(running.claim, turn_id=id, holder=self._engine.process)
        if turn is None:
            return
        live = self._engine.journal.open(id, turn.fence)
        try:
            # Before anything can stop it: every transcript begins like this.
            await self._engine.journal.append(live, [running.turn_start(turn)])
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
            request.failed()
            return request.ending(Turn.Status.FAILED, {"type": error.type, "message": str(error)})
        except (LostTurn, asyncio.CancelledError):
            raise
        except Exception:  # whatever it was, the turn has to end
            logger.exception("Turn %s failed", turn.pk)
            return request.ending(Turn.Status.FAILED, INTERNAL_ERROR)
        return request.ending(Turn.Status.COMPLETED)

    async def _ask(self, live: Live, turn: Turn, request: _Request) -> None:
        journal = self._engine.journal
        body = await persistently(running.begin_request, turn=turn, number=1)
        request.sent()
        async with client.open_stream(body) as stream:
            request.answered(stream.request_id)
            async for events in stream:
                await journal.append(live, [event for event in events if request.keeps(event)])

    async def _end(self, live: Live, ending: Ending) -> None:
        """Commits the end, however long Postgres is away, and shows it."""
        events = await self._engine.journal.hand_over(live)
        tail = await persistently(running.finish, turn_id=live.turn, fence=live.fence, events=events, ending=ending)
        live.show(tail)


class _Request:
    """The upstream request of a turn: what to keep of its stream, and its times."""

    def __init__(self) -> None:
        self._request_id: str | None = None
        self._sent_at: float | None = None
        self._first_delta_at: float | None = None
        self._begun = False

    def sent(self) -> None:
        """It goes out now."""
        self._sent_at = time.monotonic()

    def answered(self, request_id: str | None) -> None:
        """Claude has taken it, and its answer begins."""
        self._request_id = request_id or ""

    def failed(self) -> None:
        """There was an error. Before an answer has begun it means that the request was not taken, and costs nothing."""
        if self._request_id is None:
            self._sent_at = None

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
        if self._sent_at is None:
            return Ending(status, error)
        to_first_delta = None if self._first_delta_at is None else self._first_delta_at - self._sent_at
        upstream = Upstream(
            request_id=self._request_id or "",
            error_type=error["type"] if error else "",
            duration=timedelta(seconds=time.monotonic() - self._sent_at),
            time_to_first_delta=None if to_first_delta is None else timedelta(seconds=to_first_delta),
        )
        return Ending(status, error, (upstream,))
