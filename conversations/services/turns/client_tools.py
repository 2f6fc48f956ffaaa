"""Calls of client tools in a turn, and the submitted results."""

from __future__ import annotations

from conversations import tools
from conversations.content.folding import Folded, unreadable_input
from conversations.content.transcript import TOOL_RESULT
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Block
from conversations.models import Message, Turn


def open_calls(turn: Turn, folded: list[Folded]) -> list[Block]:
    """Return the client tool calls of the newest answer that have no result yet, and a readable input.

    `folded` is the folded transcript of the turn.
    """
    ours = {each["name"] for each in turn.settings.get("tools") or () if tools.is_platform(each)}
    answers = [at for at, message in enumerate(folded) if message.role == Message.Role.ASSISTANT]
    if not answers:
        return []
    answer, after = folded[answers[-1]], folded[answers[-1] + 1 :]
    done = {block["tool_use_id"] for message in after for block in message.content}
    calls = [block for block in answer.content if block.get("type") == "tool_use" and unreadable_input(block) is None]
    return [call for call in calls if call["id"] not in done and call["name"] not in ours]


def received_results(turn: Turn, folded: list[Folded]) -> list[Event]:
    """Return the submitted results of open calls, as events of the transcript.

    They are stored even if the turn ends before the others arrive: their tools did run, and Claude must not be told
    that they did not.
    """
    given = {result["tool_use_id"]: result for result in turn.tool_results}
    awaited = [call["id"] for call in open_calls(turn, folded)]
    return [_event(given[id]) for id in awaited if id in given]


def _event(result: Block) -> Event:
    return {
        "type": TOOL_RESULT,
        "tool_use_id": result["tool_use_id"],
        "content": result["content"],
        "is_error": result["is_error"],
    }
