"""The transcript of a turn: an ordered list of events, each with a length, and what they fold to.

Pure: no I/O, nothing of the project. The law that all else stands on, for every list of events and every position:

    fold(events) == fold(before + after)   where   before, after = cut(events, position)

An event is a dict with a `type`: Claude's own stream events as they came, and ours around them. A delta that carries a
string is as long as the string (code points); every other event has length 1. An event's position is the sum of the
lengths up to and including it, so adjacent string deltas of one block can be merged, or cut anywhere, without moving
any other position.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar, cast

import jiter
import orjson

Event = dict[str, Any]
Block = dict[str, Any]
T = TypeVar("T")

TURN_START = "turn_start"
TURN_END = "turn_end"
TOOL_RESULT = "tool_result"

LONG_INTEGER = re.compile(r"\d{19}")
"""What may be an integer beyond 64 bits, of which orjson would make a float."""

STRING_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}

FRAME = 16_384
"""The longest string that is sent as one delta, in code points."""

CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
"""The blocks that call a tool: the client's, or one that Claude runs itself or reaches."""

UNREADABLE = "INVALID_JSON"
"""The only key of a tool's input that stands for one that could not be read; as Claude's documentation does it."""


def string_of(event: Event) -> str | None:
    """The string that a delta carries, or None for any other event."""
    if event.get("type") != "content_block_delta":
        return None
    delta = event.get("delta") or {}
    string = delta.get(STRING_DELTAS.get(delta.get("type", ""), ""))
    return string if isinstance(string, str) else None


def with_string(event: Event, string: str) -> Event:
    """The same string delta with another string."""
    delta = event["delta"]
    return {**event, "delta": {**delta, STRING_DELTAS[delta["type"]]: string}}


def is_delta(event: Event) -> bool:
    """Whether a reader sees something appear."""
    return bool(event.get("type") == "content_block_delta")


def length(event: Event) -> int:
    """How far the event moves the position."""
    string = string_of(event)
    return 1 if string is None else len(string)


def span(events: Iterable[Event]) -> int:
    """The length of all the events together."""
    return sum(map(length, events))


def merge(events: Iterable[Event]) -> list[Event]:
    """The same transcript with adjacent string deltas of one block joined, and empty ones left out."""
    merged: list[Event] = []
    strings: list[str] = []
    for event in events:
        string = string_of(event)
        if string == "":
            continue
        if string is not None and strings and _same_but_string(merged[-1], event):
            strings.append(string)
            continue
        if len(strings) > 1:
            merged[-1] = with_string(merged[-1], "".join(strings))
        merged.append(event)
        strings = [] if string is None else [string]
    if len(strings) > 1:
        merged[-1] = with_string(merged[-1], "".join(strings))
    return merged


def _same_but_string(left: Event, right: Event) -> bool:
    if left.get("index") != right.get("index") or left["delta"]["type"] != right["delta"]["type"]:
        return False
    return with_string(left, "") == with_string(right, "")


def cut(events: Iterable[Event], position: int) -> tuple[list[Event], list[Event]]:
    """The events up to a position (counted from the first of them) and those past it; a string delta may be divided."""
    before: list[Event] = []
    after: list[Event] = []
    for event in events:
        size = length(event)
        if after or position <= 0:
            after.append(event)
        elif size <= position:
            before.append(event)
        else:
            string = string_of(event)
            assert string is not None, "only a string is longer than what is left of one position"
            before.append(with_string(event, string[:position]))
            after.append(with_string(event, string[position:]))
        position -= size
    return before, after


def placed(events: Iterable[Event], start: int) -> Iterator[tuple[int, Event]]:
    """Each event with its position, where the first of them begins at `start`."""
    position = start
    for event in events:
        position += length(event)
        yield position, event


def divided(events: Iterable[Event], size: int = FRAME) -> Iterator[Event]:
    """The same transcript with no string longer than `size`: what is sent in one go must come through in time."""
    for event in events:
        string = string_of(event)
        if string is None or len(string) <= size:
            yield event
        else:
            yield from (with_string(event, string[at : at + size]) for at in range(0, len(string), size))


@dataclass
class Folded:
    """A message that a transcript adds up to. `role` is user for the results of tools that ran on the server."""

    role: str
    content: list[Block] = field(default_factory=list)
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    envelope: dict[str, Any] = field(default_factory=dict)
    """The other fields of Claude's message: id, model, container, and those not invented yet."""
    stopped: bool = False
    """Whether its message_stop came: only then is it whole."""


def fold(events: Iterable[Event]) -> list[Folded]:
    """The messages that the events add up to, as the SDK's own accumulation would have them."""
    folding = _Folding()
    for event in events:
        folding.add(event)
    return folding.finish()


class _Folding:
    """Events in, messages out. Strings are gathered in lists, since joining at each delta would be quadratic."""

    def __init__(self) -> None:
        self.messages: list[Folded] = []
        self.blocks: dict[int, Block] = {}
        """The blocks of the newest message by their index, wherever it begins."""
        self.strings: dict[tuple[int, str], list[str]] = {}

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

    def _start(self, message: dict[str, Any]) -> None:
        self._join()
        rest = copy.deepcopy(message)
        self.messages.append(
            Folded(
                role=rest.pop("role", "assistant"),
                content=rest.pop("content", None) or [],
                stop_reason=rest.pop("stop_reason", None),
                stop_sequence=rest.pop("stop_sequence", None),
                stop_details=rest.pop("stop_details", None),
                usage=rest.pop("usage", None) or {},
                envelope=rest,
            )
        )

    def _tool_result(self, event: Event) -> None:
        if not self.messages or self.messages[-1].role != "user":
            self._join()
            self.messages.append(Folded(role="user", stopped=True))
        keys = ("tool_use_id", "content", "is_error")
        result = {key: copy.deepcopy(event[key]) for key in keys if key in event}
        self.messages[-1].content.append({"type": "tool_result", **result})

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


def _apply_string(block: Block, key: str, string: str) -> None:
    if key == "partial_json" and (block.get("type") in CALLS or "input" in block):
        block["input"] = _tool_input(string) if string else block.get("input", {})
    elif block.get("type") == key:
        block[key] = (block.get(key) or "") + string


def _tool_input(text: str) -> dict[str, Any]:
    """Return the input of a tool that Claude has written, or where that is not one JSON object, what it has written.

    Also what was cut: a part of an input is none. NaN, infinities and numbers beyond them are no JSON.
    """
    try:
        value = jiter.from_json(text.encode(), allow_inf_nan=False)
        json.dumps(value, allow_nan=False)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {UNREADABLE: text}


def unreadable_input(call: Block) -> str | None:
    """Return what came as the input of a tool's call where it could not be read as an object; None where it could."""
    given = call.get("input")
    if isinstance(given, dict) and given.keys() == {UNREADABLE}:
        return str(given[UNREADABLE])
    return None


def _apply_delta(block: Block, delta: dict[str, Any]) -> None:
    match delta.get("type"):
        case "signature_delta" if block.get("type") == "thinking":
            block["signature"] = delta["signature"]
        case "citations_delta" if block.get("type") == "text":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]
        case "compaction_delta" if block.get("type") == "compaction":
            block.update({key: value for key, value in delta.items() if key != "type"})


def _apply_message_delta(message: Folded, event: Event) -> None:
    """Apply what a message_delta says: its usage counts are cumulative (claude-api.md 4.2), absent fields leave all."""
    said = {key: value for key, value in (event.get("delta") or {}).items() if value is not None}
    message.stop_reason = said.pop("stop_reason", message.stop_reason)
    message.stop_sequence = said.pop("stop_sequence", message.stop_sequence)
    message.stop_details = said.pop("stop_details", message.stop_details)
    message.envelope.update(said)
    message.usage.update({key: value for key, value in (event.get("usage") or {}).items() if value is not None})


def plain_text(content: Iterable[Block]) -> str:
    """What a person would read of the blocks: their text, a line each."""
    return "\n".join(block["text"] for block in content if block.get("type") == "text" and block.get("text"))


@dataclass(eq=False)
class Batch:
    """The events of a turn from one position to another: what a journal piece holds and what a reader is sent."""

    turn: str
    start: int
    end: int
    events: list[Event]
    _forms: dict[Callable[[Batch], Any], Any] = field(default_factory=dict)

    @classmethod
    def of(cls, turn: str, start: int, events: list[Event]) -> Batch:
        """The events as one batch that begins at `start`."""
        merged = merge(events)
        return cls(turn, start, start + span(merged), merged)

    def past(self, position: int) -> Batch:
        """What of it a reader at this position has not seen."""
        if position <= self.start:
            return self
        return Batch(self.turn, position, self.end, cut(self.events, position - self.start)[1])

    @property
    def last(self) -> bool:
        """Whether the transcript ends with it."""
        return bool(self.events) and self.events[-1]["type"] == TURN_END

    @cached_property
    def frames(self) -> list[Frame]:
        """Its events as they are sent. Encoded once, however many readers are sent them."""
        return [
            Frame(position, event["type"], self._encoded(position, event))
            for position, event in placed(divided(self.events), self.start)
        ]

    def _encoded(self, position: int, event: Event) -> str:
        return encode({"type": event["type"], "turn": self.turn, "position": position, **event})

    def in_form(self, form: Callable[[Batch], T]) -> T:
        """The batch as a kind of reader takes it, made once for all of them."""
        if form not in self._forms:
            self._forms[form] = form(self)
        return cast(T, self._forms[form])


class Frame(NamedTuple):
    """An event on its way to a reader: its position, its type, and the whole as JSON on one line."""

    position: int
    type: str
    data: str


def joined(batches: list[Batch]) -> Batch:
    """Contiguous batches as one."""
    if len(batches) == 1:
        return batches[0]
    return Batch.of(batches[0].turn, batches[0].start, [event for batch in batches for event in batch.events])


def encode(value: object) -> str:
    """JSON on one line. What orjson does not take (integers beyond 64 bits, lone surrogates) json does."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"))


def decode(text: str) -> Any:
    """What `encode` made, as it was."""
    if LONG_INTEGER.search(text) is None:
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(text)
    return json.loads(text)
