"""Running turns: `run` takes an id only, and ends the turn whatever happens."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from conversations.contract.error_types import Failure
from conversations.contract.transcript_events import Event
from conversations.database import persistently
from conversations.errors import ColloquyError
from conversations.log_context import note
from conversations.models import LostTurn, Turn
from conversations.models.lease import AT_ONCE
from conversations.running.tool_loop import ToolLoop
from conversations.running.work_runner import Stopped, StopSignal
from conversations.services.billing.price_list import own_prices
from conversations.services.turns import queued_turns, transcripts, turn_end, turn_queue, turn_run
from conversations.services.turns.plain_turn_end import plain_ending
from conversations.services.turns.turn_end import Ending
from conversations.streaming.live import LiveTranscript
from conversations.streaming.tables import TURN_TABLES

if TYPE_CHECKING:
    from conversations.running.engine import Engine

logger = logging.getLogger(__name__)

INTERNAL_ERROR: Failure = {"type": "api_error", "message": "The platform could not run this turn; its log says why."}


class TurnWork:
    """The turns that this process runs."""

    name = "turn"
    tables = TURN_TABLES
    to_cancel = staticmethod(Turn.to_cancel)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def abandoned(self, process: uuid.UUID, running: Collection[uuid.UUID]) -> list[uuid.UUID]:
        """Return turns of dead processes, and turns that have waited for a client's tools for too long."""
        forgotten = Turn.forgotten().values_list("pk", flat=True)[:AT_ONCE]
        return [*Turn.abandoned_ids(process, running), *forgotten]

    def waiting(self, seconds: float) -> list[uuid.UUID]:
        """Return turns that were queued for so many seconds, after advancing stalled queues."""
        turn_queue.advance_stalled()
        return Turn.waiting(seconds)

    def settle(self, id: uuid.UUID, process: uuid.UUID) -> None:
        """End a turn whose process has died."""
        turn_end.settle(turn_id=id, by=process)

    async def run(self, id: uuid.UUID, stop: StopSignal) -> None:
        """Claim a turn, and run it to its end or until it waits for the client's tools."""
        # If their results arrived before the turn began to wait for them, it is queued again at once.
        while await self._run(id, stop) == Turn.QUEUED:
            pass

    def begun(self, turn: Turn) -> Callable[[StopSignal], Coroutine[object, None, None]]:
        """Open the transcript of a turn that was stored as running here; return a function that runs it."""
        live = self._engine.journal.open(turn.pk, turn.fence, [transcripts.turn_start(turn)])

        began = time.monotonic()

        async def run(stop: StopSignal) -> None:
            if await self._guarded(turn, self._lead(turn, live, stop, began)) == Turn.QUEUED:
                await self.run(turn.pk, stop)

        return run

    async def _run(self, id: uuid.UUID, stop: StopSignal) -> str | None:
        """Run a claimed turn; return its status afterwards, or None if the turn was lost."""
        turn = await persistently(turn_run.claim, turn_id=id, holder=self._engine.process)
        return await self._guarded(turn, self._claimed(turn, stop)) if turn else None

    async def _guarded(self, turn: Turn, run: Coroutine[object, None, str]) -> str | None:
        """Return the status after a run; None if the turn was lost, or failed and is ended."""
        note(turn=turn.pk, user=turn.user_id)
        try:
            return await run
        except LostTurn:
            logger.warning("Turn %s was lost to another process", turn.pk)
        except Exception:  # any error: the turn has to end
            logger.exception("Turn %s could not be run", turn.pk)
            with suppress(LostTurn):
                await persistently(turn_end.fail, turn_id=turn.pk, fence=turn.fence, error=INTERNAL_ERROR)
        return None

    async def _claimed(self, turn: Turn, stop: StopSignal) -> str:
        if turn.to_be_admitted and not await persistently(queued_turns.admit, turn):
            return Turn.Status.FAILED
        journal = self._engine.journal
        events = await persistently(transcripts.written, turn)
        live = journal.open(turn.pk, turn.fence, events)
        if not events:
            # Before anything can stop it: every transcript begins with this event.
            await journal.append(live, [transcripts.turn_start(turn)])
        return await self._lead(turn, live, stop)

    async def _lead(self, turn: Turn, live: LiveTranscript, stop: StopSignal, began: float | None = None) -> str:
        """Run a turn from the present end of its transcript; return the resulting status.

        `began` is the time at which the turn was stored, in seconds of the monotonic clock, if it was begun here.
        """
        try:
            ended = await self._outcome(live, turn, stop, begun=began is not None)
            return await self._end(turn, live, ended, began)
        finally:
            self._engine.journal.close(live)

    async def _outcome(self, live: LiveTranscript, turn: Turn, stop: StopSignal, *, begun: bool) -> Ending:
        """Run the tool loop, and return how it ended."""
        loop = ToolLoop(self._engine.journal, live, turn, begun=begun)
        try:
            return loop.ending(await stop.able(loop.run()))
        except Stopped as stopped:
            return loop.ending(stopped.reason)
        except ColloquyError as error:
            return loop.failed(error.kept())
        except (LostTurn, asyncio.CancelledError):
            raise
        except Exception:  # any error: the turn has to end
            logger.exception("Turn %s failed", turn.pk)
            return loop.failed(INTERNAL_ERROR)

    async def _end(self, turn: Turn, live: LiveTranscript, ended: Ending, began: float | None) -> str:
        """Commit the end, retrying as long as Postgres is unavailable, and publish it; return the turn's status."""
        events = await self._engine.journal.hand_over(live)
        if live.failure is not None:
            error: Failure = {"type": live.failure.type, "message": str(live.failure)}
            ended = replace(ended, status=Turn.Status.FAILED, error=error)
        if ended.status == Turn.Status.FAILED and ended.error != INTERNAL_ERROR:  # which has been logged with its trace
            logger.warning("The turn failed: %s", ended.error)
        if ended.status == Turn.Status.AWAITING_TOOLS:
            return await persistently(
                turn_run.suspend, turn_id=live.turn, fence=live.fence, events=events, upstream=ended.upstream
            )
        if began is not None and not live.failure and await self._end_plainly(turn, live, ended, events, began):
            return ended.status
        tail = await persistently(turn_end.finish, turn_id=live.turn, fence=live.fence, events=events, ending=ended)
        if tail is not None:
            live.show(tail)
        return ended.status

    async def _end_plainly(
        self, turn: Turn, live: LiveTranscript, ended: Ending, events: list[Event], began: float
    ) -> bool:
        """Commit and publish the end of a turn by one statement; return whether that was possible."""
        at = turn.created_at + timedelta(seconds=time.monotonic() - began)  # by the database's clock
        here = self._engine
        if here.own_prices is None:
            here.own_prices = await persistently(own_prices)
        plain = plain_ending(turn, events, ended, seen=live.position, at=at, own=here.own_prices)
        if plain is None:
            return False
        if not await here.endings.write(plain.parameters):
            here.own_prices = None  # they may have changed
            return False
        live.show(plain.tail)
        return True
