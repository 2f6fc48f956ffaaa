"""Folding a transcript into messages.

Pure: no I/O. The law that it keeps, for every list of events and every position:

    fold(events) == fold(before + after)   where   before, after = cut(events, position)
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import jiter

from conversations.content.transcript import STRING_DELTAS, StringField, string_of
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Answer, Block, Delta
from conversations.json_types import JSONObject

CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
"""The blocks that call a tool: the client's, or one that Claude runs itself or reaches over MCP."""

STOPS = frozenset({"stop_reason", "stop_sequence", "stop_details"})
FOLDED = STOPS | {"role", "content", "usage"}
"""The fields of Claude's message that a folded message has as attributes."""

UNREADABLE = "INVALID_JSON"
"""The only key of an object that replaces an unreadable tool input, as in Claude's documentation."""


@dataclass
class Folded:
    """A message of a transcript. `role` is "user" for the results of tools, and "assistant" for all else."""

    role: str
    content: list[Block] = field(default_factory=list)
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: JSONObject | None = None
    usage: dict[str, object] = field(default_factory=dict)
    envelope: dict[str, object] = field(default_factory=dict)
    """The fields of Claude's message that are not FOLDED: id, model, container, and future ones."""
    stopped: bool = False
    """Whether message_stop was received: only then the message is complete."""


def fold(events: Iterable[Event]) -> list[Folded]:
    """Return the messages that the events add up to, as the SDK's accumulator would compute them."""
    folding = _Folding()
    for event in events:
        folding.add(event)
    return folding.finish()


class _Folding:
    """The messages so far. Strings are collected in lists, since joining at each delta would take quadratic time."""

    def __init__(self) -> None:
        self.messages: list[Folded] = []
        self.blocks: dict[int, Block] = {}
        """The blocks of the newest message by their index, wherever it begins."""
        self.strings: dict[tuple[int, StringField], list[str]] = {}

    def add(self, event: Event) -> None:
        match event.get("type"):
            case "message_start":
                self._start(event["message"])
            case "tool_result":
                self._tool_result(event)
            case "content_block_start" if self.messages:
                self.blocks[event["index"]] = copy.deepcopy(event["content_block"])
            case "content_block_delta" if self.messages:
                self._delta(event)
            case "message_delta" if self.messages:
                _apply_message_delta(self.messages[-1], event)
            case "message_stop" if self.messages:
                self.messages[-1].stopped = True

    def _start(self, message: Answer) -> None:
        self._join()
        self.messages.append(
            Folded(
                role=message.get("role", "assistant"),
                content=copy.deepcopy(message.get("content") or []),
                stop_reason=message.get("stop_reason"),
                stop_sequence=message.get("stop_sequence"),
                stop_details=message.get("stop_details"),
                usage=dict(message.get("usage") or {}),
                envelope={name: value for name, value in message.items() if name not in FOLDED},
            )
        )

    def _tool_result(self, event: Event) -> None:
        if not self.messages or self.messages[-1].role != "user":
            self._join()
            self.messages.append(Folded(role="user", stopped=True))
        result: Block = {"type": "tool_result", "tool_use_id": event["tool_use_id"]}
        if "content" in event:
            result["content"] = copy.deepcopy(event["content"])
        if "is_error" in event:
            result["is_error"] = event["is_error"]
        self.messages[-1].content.append(result)

    def _delta(self, event: Event) -> None:
        index, delta = event["index"], event["delta"]
        string = string_of(event)
        if index not in self.blocks:
            return
        if string is not None:
            self.strings.setdefault((index, STRING_DELTAS[delta["type"]]), []).append(string)
        else:
            _apply_delta(self.blocks[index], delta)

    def _join(self) -> None:
        for (index, key), strings in self.strings.items():
            _apply_string(self.blocks[index], key, "".join(strings))
        for _, block in sorted(self.blocks.items()):
            if block.get("type") == "tool_use":
                block.setdefault("input", {})
            self.messages[-1].content.append(block)
        self.strings.clear()
        self.blocks.clear()

    def finish(self) -> list[Folded]:
        self._join()
        return self.messages


def _apply_string(block: Block, key: StringField, string: str) -> None:
    if key == "partial_json":
        if block.get("type") in CALLS or "input" in block:
            block["input"] = _tool_input(string) if string else block.get("input", {})
    elif block.get("type") == key:
        block[key] = (block.get(key) or "") + string


def _tool_input(text: str) -> JSONObject:
    """Return the parsed input of a tool call.

    If the text is not one JSON object (it was cut off, has NaN, an infinity or a repeated key), return it under
    UNREADABLE.
    """
    try:
        value = jiter.from_json(text.encode(), allow_inf_nan=False, catch_duplicate_keys=True)
        json.dumps(value, allow_nan=False)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {UNREADABLE: text}


def unreadable_input(call: Block) -> str | None:
    """Return the text of a tool call's input that could not be parsed as an object, or None."""
    given = call.get("input")
    if isinstance(given, dict) and given.keys() == {UNREADABLE}:
        return str(given[UNREADABLE])
    return None


def _apply_delta(block: Block, delta: Delta) -> None:
    match delta.get("type"):
        case "signature_delta" if block.get("type") == "thinking":
            block["signature"] = delta["signature"]
        case "citations_delta" if block.get("type") == "text":
            cited = block.get("citations")
            if isinstance(cited, list):
                cited.append(delta["citation"])
            else:
                block["citations"] = [delta["citation"]]
        case "compaction_delta" if block.get("type") == "compaction":
            block.update({**delta, "type": "compaction"})  # type: ignore[typeddict-item]  # of whatever fields it has


def _apply_message_delta(message: Folded, event: Event) -> None:
    """Apply a message_delta: its usage counts are cumulative (claude-api.md 4.2), absent fields change nothing."""
    said = event.get("delta") or {}
    if (stop_reason := said.get("stop_reason")) is not None:
        message.stop_reason = stop_reason
    if (stop_sequence := said.get("stop_sequence")) is not None:
        message.stop_sequence = stop_sequence
    if (stop_details := said.get("stop_details")) is not None:
        message.stop_details = stop_details
    rest = {name: value for name, value in said.items() if value is not None and name not in STOPS}
    message.envelope.update(rest)
    message.usage.update({key: value for key, value in (event.get("usage") or {}).items() if value is not None})


def plain_text(content: Iterable[Block]) -> str:
    """Return the text of the text blocks, joined by line breaks."""
    return "\n".join(block["text"] for block in content if block.get("type") == "text" and block.get("text"))
