"""What Claude and the tools do in a turn: a request, what it calls for, the next request, until there is no more."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

from django.conf import settings

from conversations import history, tools
from conversations.claude import client
from conversations.claude.fitting import check_fits
from conversations.database import persistently
from conversations.errors import ColloquyError
from conversations.journal import Journal, Live
from conversations.models import LostTurn, Turn
from conversations.services import attachments, running
from conversations.services.running import Ending
from conversations.services.usage import Upstream
from conversations.tools import Caller, Result
from conversations.transcript import TOOL_RESULT, Event, Folded, fold, is_delta

GOES_ON = frozenset({"tool_use", "pause_turn"})
"""The stop reasons after which Claude is asked again (claude-api.md 3.2)."""


class Loop:
    """One run of a turn: to its end, or until it waits for its client's tools."""

    def __init__(self, journal: Journal, live: Live, turn: Turn) -> None:
        self._journal = journal
        self._live = live
        self._turn = turn
        self._requests: list[_Request] = []

    async def run(self) -> str:
        """Goes on from where the transcript is; the status in which that leaves the turn."""
        number, status = self._turn.requests_sent, None
        while status is None:
            number += 1
            stop_reason = await self._ask(number)
            if stop_reason not in GOES_ON or number >= settings.COLLOQUY_REQUESTS_PER_TURN:
                return Turn.Status.COMPLETED
            status = await self._go_on(fold(await self._journal.transcript(self._live)))
        return status

    async def _ask(self, number: int) -> str | None:
        """Makes the turn's next request; the stop reason of its answer."""
        request = _Request()
        self._requests.append(request)
        events = await self._journal.transcript(self._live)
        body = await persistently(running.begin_request, turn=self._turn, number=number, events=events)
        await check_fits(body, client.count_tokens)
        request.sent()
        async with client.open_stream(body) as stream:
            request.answered(stream.request_id)
            async for events in stream:
                await self._journal.append(self._live, [event for event in events if request.keeps(event)])
        request.ended()
        return request.stop_reason

    async def _go_on(self, folded: list[Folded]) -> str | None:
        """Runs the tools that the newest answer calls, all at once. The turn's status if Claude is not asked again."""
        answer = folded[-1]
        if history.paused(answer.content, answer.stop_reason):
            return None
        calls = [block for block in answer.content if block.get("type") == "tool_use"]
        if not calls or answer.stop_reason != "tool_use":
            return Turn.Status.COMPLETED
        theirs = {call["id"] for call in running.open_calls(self._turn, folded)}
        try:
            async with asyncio.TaskGroup() as group:
                for call in calls:
                    if call["id"] not in theirs:
                        group.create_task(self._call(call))
        except* LostTurn:
            raise LostTurn from None
        return Turn.Status.AWAITING_TOOLS if theirs else None

    async def _call(self, call: dict[str, Any]) -> None:
        result = await self._result(call)
        await self._journal.append(
            self._live,
            [
                {
                    "type": TOOL_RESULT,
                    "tool_use_id": call["id"],
                    "content": result.content,
                    "is_error": result.is_error,
                }
            ],
        )

    async def _result(self, call: dict[str, Any]) -> Result:
        turn, tool = self._turn, tools.named(call["name"])
        if tool is None:
            return Result(f"There is no tool {call['name']} any more.", is_error=True)
        result = await tool.run(call["input"], Caller(turn.user_id, turn.conversation_id, turn.pk))
        if isinstance(result.content, str):
            return result
        try:
            kept = await persistently(attachments.take_in, owner=turn.user, blocks=result.content)
        except ColloquyError as error:  # somebody else's attachment
            return Result(str(error), is_error=True)
        return Result(kept)

    def ending(self, status: str) -> Ending:
        """How the run left the turn, and what is known of the requests that reached Claude."""
        return Ending(status, upstream=self._upstream())

    def failed(self, error: dict[str, Any]) -> Ending:
        """The end of a turn that an error ended."""
        if self._requests:
            self._requests[-1].failed(error["type"])
        return Ending(Turn.Status.FAILED, error, self._upstream())

    def _upstream(self) -> tuple[Upstream, ...]:
        return tuple(known for request in self._requests if (known := request.known()))


class _Request:
    """An upstream request: what to keep of its stream, and its times."""

    def __init__(self) -> None:
        self.stop_reason: str | None = None
        self._request_id: str | None = None
        self._sent_at: float | None = None
        self._first_delta_at: float | None = None
        self._ended_at: float | None = None
        self._error_type = ""
        self._begun = False

    def sent(self) -> None:
        """It goes out now."""
        self._sent_at = time.monotonic()

    def answered(self, request_id: str | None) -> None:
        """Claude has taken it, and its answer begins."""
        self._request_id = request_id or ""

    def ended(self) -> None:
        """Its answer came to its end."""
        self._ended_at = time.monotonic()

    def failed(self, error_type: str) -> None:
        """There was an error. Before an answer has begun it means that the request was not taken, and costs nothing."""
        if self._ended_at is not None:
            return  # what failed came after it
        self._error_type = error_type
        if self._request_id is None:
            self._sent_at = None

    def keeps(self, event: Event) -> bool:
        """Whether an event belongs to the transcript: not pings, nor a second beginning of the one message."""
        match event.get("type"):
            case "message_start":
                repeated, self._begun = self._begun, True
                return not repeated
            case "message_delta":
                self.stop_reason = (event.get("delta") or {}).get("stop_reason")
        if self._first_delta_at is None and is_delta(event):
            self._first_delta_at = time.monotonic()
        return event.get("type") != "ping"

    def known(self) -> Upstream | None:
        """What the ledger is told of it; None if it never reached Claude."""
        if self._sent_at is None:
            return None
        to_first_delta = None if self._first_delta_at is None else self._first_delta_at - self._sent_at
        return Upstream(
            request_id=self._request_id or "",
            error_type=self._error_type,
            duration=timedelta(seconds=(self._ended_at or time.monotonic()) - self._sent_at),
            time_to_first_delta=None if to_first_delta is None else timedelta(seconds=to_first_delta),
        )
