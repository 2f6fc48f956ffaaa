"""The tool loop of a turn: request, tool calls, next request, until there are no more calls."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from django.conf import settings

from conversations import tools
from conversations.claude import client
from conversations.claude.fitting import check_fits
from conversations.content import history
from conversations.content.folding import Folded, fold, unreadable_input
from conversations.content.transcript import TOOL_RESULT
from conversations.contract.error_types import Failure
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Block, Request
from conversations.database import on_own_connection, persistently
from conversations.errors import ColloquyError
from conversations.models import LostTurn, Turn
from conversations.running.storage_threads import in_storage
from conversations.running.upstream import UpstreamRequest
from conversations.services.billing.ledger import RequestRecord
from conversations.services.files import attachments
from conversations.services.turns import turn_requests, turn_run
from conversations.services.turns.client_tools import open_calls
from conversations.services.turns.turn_end import Ending
from conversations.streaming.journal import Journal
from conversations.streaming.live import LiveTranscript
from conversations.tools import Caller, Result

logger = logging.getLogger(__name__)

GOES_ON = frozenset({"tool_use", "pause_turn"})
"""The stop reasons after which another request is sent (claude-api.md 3.2)."""

NOT_READ = "The tool was not run: its input is not one JSON object. This is what came:\n{text}"


class ToolLoop:
    """One run of a turn: to its end, or until it waits for the client's tools."""

    def __init__(self, journal: Journal, live: LiveTranscript, turn: Turn, *, begun: bool = False) -> None:
        """`begun` means that the turn's first request was recorded with the turn, and is not sent yet."""
        self._journal = journal
        self._sent = 0 if begun else turn.requests_sent
        self._live = live
        self._turn = turn
        self._requests: list[UpstreamRequest] = []

    async def run(self) -> str:
        """Run from the present end of the transcript; return the resulting status of the turn."""
        number, status = self._sent, None
        while status is None:
            number += 1
            stop_reason = await self._ask(number)
            if stop_reason not in GOES_ON or number >= settings.COLLOQUY_REQUESTS_PER_TURN:
                return Turn.Status.COMPLETED
            status = await self._go_on(fold(await self._journal.transcript(self._live)))
        return status

    async def _ask(self, number: int) -> str | None:
        """Send the turn's next request; return the stop reason of its answer."""
        request = UpstreamRequest()
        self._requests.append(request)
        await request.ask(await self._body(number), partial(self._journal.append, self._live))
        return request.stop_reason

    async def _body(self, number: int) -> Request:
        """Return the turn's next request in its final form, after recording that it will be sent."""
        events = await self._journal.transcript(self._live)
        body = await self._request(events)
        if number > self._turn.requests_sent:
            if number > 1:
                # If the process dies then, the request's messages are stored, including the results of its tools.
                await self._journal.commit(self._live)
            body = await persistently(
                turn_run.begin_request, turn=self._turn, number=number, events=events, request=body
            )
            self._turn.requests_sent = number
        await check_fits(body, client.count_tokens)
        return body

    async def _request(self, events: list[Event]) -> Request:
        """Return the turn's next request, with the bytes of its files."""
        if len(events) <= 1 and turn_requests.is_in_memory(self._turn):
            request = turn_run.next_request(turn=self._turn, events=events)
        else:
            request = await persistently(turn_run.next_request, turn=self._turn, events=events)
        return (
            await in_storage(attachments.request_with_bytes, request) if attachments.needs_bytes(request) else request
        )

    async def _go_on(self, folded: list[Folded]) -> str | None:
        """Run the tools that the newest answer calls, concurrently.

        Return the turn's status, or None if another request is to be sent.
        """
        answer = folded[-1]
        if history.is_paused(answer.content, answer.stop_reason):
            return None
        calls = [block for block in answer.content if block.get("type") == "tool_use"]
        if not calls or answer.stop_reason != "tool_use":
            return Turn.Status.COMPLETED
        theirs = {call["id"] for call in open_calls(self._turn, folded)}
        try:
            async with asyncio.TaskGroup() as group:
                for call in calls:
                    if call["id"] not in theirs:
                        group.create_task(self._call(call))
        except* LostTurn:
            raise LostTurn from None
        return Turn.Status.AWAITING_TOOLS if theirs else None

    async def _call(self, call: Block) -> None:
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

    async def _result(self, call: Block) -> Result:
        turn, tool = self._turn, tools.registered_tool(call["name"])
        if (text := unreadable_input(call)) is not None:
            return Result(NOT_READ.format(text=text), is_error=True)
        if tool is None:
            return Result(f"There is no tool {call['name']} any more.", is_error=True)
        result = await tool.run(call["input"], Caller(turn.user_id, turn.conversation_id, turn.pk))
        try:
            return await self._kept(result)
        except ColloquyError as error:  # too long for the model, or another user's attachment
            return Result(str(error), is_error=True)
        except OSError:
            logger.exception("The files in a result of the tool %s could not be kept", call["name"])
            return Result("The files that the tool returned could not be kept.", is_error=True)

    async def _kept(self, result: Result) -> Result:
        """Return a tool's result in the transcript's form: with its files in the storage."""
        if isinstance(result.content, str):
            turn_requests.check_results_fit([{"type": "text", "text": result.content}], self._turn.settings)
            return result
        turn_requests.check_results_fit(result.content, self._turn.settings)
        keep = partial(attachments.store_for_conversation, self._turn.conversation, self._turn.user, result.content)
        return Result(await in_storage(on_own_connection, keep))

    def ending(self, status: str) -> Ending:
        """Return how the run left the turn, with the records of the requests that reached Claude."""
        return Ending(status, upstream=self._upstream())

    def failed(self, error: Failure) -> Ending:
        """Return the end of a turn that an error ended."""
        return Ending(Turn.Status.FAILED, error, self._upstream())

    def _upstream(self) -> tuple[RequestRecord, ...]:
        return tuple(known for request in self._requests if (known := request.known()))
