"""The transcript of a turn: an ordered list of events, each with a length.

Pure: no I/O, nothing of the project but types. An event has a `type`: Claude's own stream events are as they came, and
ours stand around them. A delta that carries a string is as long as the string (code points); every other event has
length 1. An event's position is the sum of the lengths up to and including it, so adjacent string deltas of one block
can be merged, or cut anywhere, without moving any other position.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeVar, cast

import orjson
import simplejson

from conversations.contract.transcript_events import Event

T = TypeVar("T")

TURN_START = "turn_start"
TURN_END = "turn_end"
ENDS = frozenset({TURN_END, "extraction_end"})
"""The events with which transcripts end: those of turns, and those of other work."""
DELTA = "content_block_delta"
SNAPSHOT = "partial"
"""A cumulative event, which includes the one before it: only the newest of several is kept."""
TOOL_RESULT = "tool_result"

LONG_INTEGER = re.compile(r"\d{19}")
"""Matches what may be an integer beyond 64 bits, which orjson would convert to a float."""

StringField = Literal["text", "thinking", "partial_json"]
STRING_DELTAS: dict[str, StringField] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}

FRAME = 16_384
"""The longest string that is sent as one delta, in code points."""


def string_of(event: Event) -> str | None:
    """Return the string that a delta carries, or None for any other event."""
    if event.get("type") != DELTA:
        return None
    delta = event.get("delta") or {}
    string = delta.get(STRING_DELTAS.get(delta.get("type", ""), ""))
    return string if isinstance(string, str) else None


def with_string(event: Event, string: str) -> Event:
    """Return a copy of a string delta with another string."""
    delta = event["delta"].copy()
    delta[STRING_DELTAS[delta["type"]]] = string
    return {**event, "delta": delta}


def string_delta(index: int, kind: str, string: str) -> Event:
    """Return the event that adds a string to the block at an index; `kind` is one of STRING_DELTAS."""
    return with_string({"type": DELTA, "index": index, "delta": {"type": kind}}, string)


def is_delta(event: Event) -> bool:
    """Return whether the event adds to what a reader sees of an answer."""
    return bool(event.get("type") == DELTA)


def length(event: Event) -> int:
    """Return the number of positions of an event."""
    kind = event.get("type")
    string = string_of(event) if kind == DELTA else None
    if string is not None:
        return len(string)
    return int(event.get("span", 1)) if kind == SNAPSHOT else 1


def _with_span(event: Event, size: int) -> Event:
    """Return a snapshot with this length."""
    return {**event, "span": size}


def span(events: Iterable[Event]) -> int:
    """Return the length of all the events together."""
    return sum(map(length, events))


def merge(events: Iterable[Event]) -> list[Event]:
    """Return the transcript with adjacent string deltas of one block joined, and without empty ones.

    Of adjacent snapshots only the newest is kept, with the length of all.
    """
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
        if event.get("type") == SNAPSHOT and merged and merged[-1].get("type") == SNAPSHOT:
            event = _with_span(event, length(merged.pop()) + length(event))
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
    """Split the events at a position, counted from the first of them.

    A string delta at the position is split; a snapshot is in both parts.
    """
    before: list[Event] = []
    after: list[Event] = []
    for event in events:
        size = length(event)
        if after or position <= 0:
            after.append(event)
        elif size <= position:
            before.append(event)
        elif (string := string_of(event)) is not None:
            before.append(with_string(event, string[:position]))
            after.append(with_string(event, string[position:]))
        else:
            before.append(_with_span(event, position))
            after.append(_with_span(event, size - position))
        position -= size
    return before, after


def placed(events: Iterable[Event], start: int) -> Iterator[tuple[int, Event]]:
    """Yield each event with its position; the first one begins at `start`."""
    position = start
    for event in events:
        position += length(event)
        yield position, event


def divided(events: Iterable[Event], size: int = FRAME) -> Iterator[Event]:
    """Yield the transcript with no string longer than `size` code points, so that each frame can be sent in time."""
    for event in events:
        string = string_of(event)
        if string is None or len(string) <= size:
            yield event
        else:
            yield from (with_string(event, string[at : at + size]) for at in range(0, len(string), size))


@dataclass(eq=False)
class Batch:
    """The events of a turn from one position to another: a piece of the journal, or a reader's next part."""

    turn: str
    start: int
    end: int
    events: list[Event]
    kind: str = "turn"
    """The kind of work that has the transcript: its id is in this field of the events."""
    _forms: dict[Callable[[Batch], object], object] = field(default_factory=dict)

    @classmethod
    def of(cls, turn: str, start: int, events: list[Event], kind: str = "turn") -> Batch:
        """Create one batch of the events, beginning at `start`."""
        merged = merge(events)
        return cls(turn, start, start + span(merged), merged, kind)

    def past(self, position: int) -> Batch:
        """Return the part of the batch after a reader's position."""
        if position <= self.start:
            return self
        return Batch(self.turn, position, self.end, cut(self.events, position - self.start)[1], self.kind)

    @property
    def last(self) -> bool:
        """Return whether the transcript ends with this batch."""
        return bool(self.events) and self.events[-1]["type"] in ENDS

    @cached_property
    def frames(self) -> list[Frame]:
        """Return the batch's encoded events, which all readers share."""
        return [
            Frame(position, event["type"], self._encoded(position, event))
            for position, event in placed(divided(self.events), self.start)
        ]

    def _encoded(self, position: int, event: Event) -> str:
        told = {key: value for key, value in event.items() if key != "span"} if event["type"] == SNAPSHOT else event
        return encode({"type": event["type"], self.kind: self.turn, "position": position, **told})

    def in_form(self, form: Callable[[Batch], T]) -> T:
        """Return the result of `form` for the batch, which is computed once for all readers of this form."""
        if form not in self._forms:
            self._forms[form] = form(self)
        return cast(T, self._forms[form])

    def forget_encoded(self) -> None:
        """Drop the encoded frames and forms, which can be computed again."""
        self.__dict__.pop("frames", None)
        self._forms.clear()


class Frame(NamedTuple):
    """An encoded event: its position, its type, and its JSON on one line."""

    position: int
    type: str
    data: str


def joined(batches: list[Batch]) -> Batch:
    """Return contiguous batches of one turn as one."""
    if len(batches) == 1:
        return batches[0]
    first = batches[0]
    return Batch.of(first.turn, first.start, [event for batch in batches for event in batch.events], first.kind)


LINE_BREAKS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What JSON may have in a string, and Python's `splitlines`, and clients that use it, take for the end of a line."""


def encode(value: object) -> str:
    """Return the value as JSON on one line, whatever its reader takes for the end of one.

    Decimals keep their digits. Values that orjson does not support (integers beyond 64 bits, lone surrogates) are
    encoded by simplejson.
    """
    try:
        text = orjson.dumps(value, default=_number).decode()
        for sign, escaped in LINE_BREAKS.items():
            text = text.replace(sign, escaped)
        return text
    except TypeError:
        return simplejson.dumps(value, use_decimal=True, separators=(",", ":"))


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError


def decoded_events(text: str) -> Any:
    """Decode the events that `encode` has encoded."""
    if LONG_INTEGER.search(text) is None:
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(text)
    return json.loads(text)
