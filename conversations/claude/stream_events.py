"""Validating the events of Claude's stream, once, on arrival. Pure.

Known kinds must have the shape of Claude's API (claude-api.md 4.1) and fit our columns. Unknown kinds of events, blocks
and deltas pass unchanged, unless they could be mistaken for our own.
"""

from __future__ import annotations

from typing import Literal

from conversations.claude.event_shapes import (
    BLOCKS,
    DELTAS,
    BlockDeltaShape,
    BlockStartShape,
    BlockStopShape,
    CallShape,
    MessageDeltaShape,
    MessageStartShape,
    TypedShape,
    as_shape,
    shape_of_block,
)
from conversations.claude.values import is_whole, storable, whole, whole_json
from conversations.content.block_checks import ONLY_ASKED
from conversations.content.transcript import STRING_DELTAS, string_delta, string_of, with_string
from conversations.contract.event_types import ToolResultEvent, TurnEnd, TurnStart
from conversations.contract.extraction_types import ExtractionEvent
from conversations.contract.frame_types import CREATED, Ok, Pong
from conversations.contract.schema_building import members, tag_of
from conversations.contract.transcript_events import Event
from conversations.errors import MalformedAnswer

OURS = (TurnStart, ToolResultEvent, TurnEnd, *members(ExtractionEvent), Ok, Pong)
OUR_TYPES = frozenset({CREATED, *map(tag_of, OURS)})
"""The types of the platform's own events: an upstream event of such a type would be mistaken for ours."""
OUR_FIELDS = frozenset({"turn", "position"})

StreamedField = Literal["text", "thinking"]
STREAMED: dict[str, tuple[StreamedField, str]] = {
    "text": ("text", "text_delta"),
    "thinking": ("thinking", "thinking_delta"),
}
"""The kinds of blocks that are mostly empty when they begin: their field that deltas fill, and the deltas' type."""

PLAIN = {
    (block, kind): STRING_DELTAS[kind]
    for kind, (_, blocks) in DELTAS.items()
    if kind in STRING_DELTAS
    for block in blocks
}
"""The string's name in the deltas that an answer is mostly made of, by block and delta."""


class EventChecker:
    """Validates the events of one answer in order, and joins characters that were split over two deltas."""

    def __init__(self) -> None:
        self.stopped = False
        """Whether message_stop has come: nothing after that matters."""
        self.begun = False
        self._blocks: dict[int, str] = {}
        """The types of the blocks that have begun, by index."""
        self._open: dict[int, str] = {}
        self._calls: set[str] = set()
        self._offset = 0
        """The offset of the block indices of a second message in the same stream."""
        self._halves: dict[int, Event] = {}
        """By block: a delta that ends with the first half of a surrogate pair, until the second half has arrived."""

    def admit(self, event: Event) -> list[Event]:
        """Return the events to add to the transcript: none for a ping, or a repeated message_start.

        Raises MalformedAnswer for one that is not as Claude's API has it, is out of order, or could pass for ours.
        """
        if self._offset and type(event.get("index")) is int:
            event = {**event, "index": event["index"] + self._offset}
        if self._is_plain(event):
            return [event]
        kind = as_shape(TypedShape, event, "event").type
        if kind in OUR_TYPES:
            raise MalformedAnswer(f"{kind} is no event of Claude's")
        if not OUR_FIELDS.isdisjoint(event):
            raise MalformedAnswer(f"{kind} has a field that is no field of Claude's: turn or position")
        if kind == "content_block_delta":
            return [self._delta(event)]
        as_sent, event = event, storable(event)
        match kind:
            case "ping":
                return []
            case "message_start":
                return self._start(event)
            case "content_block_start":
                self._block_start(event)
                return [self._without_half(event, as_sent)]
            case "content_block_stop":
                return [*self._block_stop(event), event]
            case "message_delta":
                self._within_message(kind)
                as_shape(MessageDeltaShape, event, kind)
            case "message_stop":
                self._within_message(kind)
                self.stopped = True
                return [*self.end(), event]
        return [event]

    def end(self) -> list[Event]:
        """Return a delta with U+FFFD for each surrogate whose other half was never received."""
        halves = [with_string(event, "\ufffd") for event in self._halves.values()]
        self._halves.clear()
        return halves

    def _is_plain(self, event: Event) -> bool:
        """Return whether an event is a delta that needs no further check, decided cheaply."""
        index, delta = event.get("index"), event.get("delta")
        if len(event) != 3 or type(index) is not int or type(delta) is not dict or len(delta) != 2 or self._halves:
            return False
        kind = delta.get("type")
        if type(kind) is not str or event["type"] != "content_block_delta":
            return False
        string = delta.get(PLAIN.get((self._open.get(index, ""), kind), ""))
        return type(string) is str and is_whole(string)

    def _within_message(self, kind: str) -> None:
        if not self.begun:
            raise MalformedAnswer(f"{kind} came before message_start")

    def _start(self, event: Event) -> list[Event]:
        if self.begun:
            return self._begin_again()
        message = as_shape(MessageStartShape, event, "message_start").message
        for at, block in enumerate(message.content or ()):
            self._block(block, f"message_start.message.content.{at}")
        self.begun = True
        return [event]

    def _begin_again(self) -> list[Event]:
        """Begin another message, as gateways send that lost Claude: its blocks follow the earlier ones."""
        stops: list[Event] = [{"type": "content_block_stop", "index": index} for index in self._open]
        self._open.clear()
        self._offset = max(self._blocks, default=-1) + 1
        return [*self.end(), *stops]

    def _block_start(self, event: Event) -> None:
        where = "content_block_start"
        self._within_message(where)
        started = as_shape(BlockStartShape, event, where)
        if started.index in self._blocks:
            raise MalformedAnswer(f"{where}: block {started.index} has begun already")
        kind = self._block(started.content_block, f"{where}.content_block")
        self._blocks[started.index] = self._open[started.index] = kind

    def _without_half(self, event: Event, as_sent: Event) -> Event:
        """Return the start of a block without a trailing half of a surrogate pair, which waits for the other half."""
        block = event["content_block"]
        kind, index = block["type"], event["index"]
        if kind not in STREAMED:
            return event
        field, delta = STREAMED[kind]
        text = as_sent["content_block"][field]
        if not "\ud800" <= text[-1:] <= "\udbff":
            return event
        self._halves[index] = string_delta(index, delta, text[-1])
        begun = block.copy()
        begun[field] = whole(text[:-1])
        return {**event, "content_block": begun}

    def _block(self, block: object, where: str) -> str:
        """Validate a block as it begins; return its type."""
        kind = as_shape(TypedShape, block, where).type
        if kind in ONLY_ASKED:
            raise MalformedAnswer(f"{where}: {kind} is no block of an answer")
        checked = as_shape(shape_of_block(kind), block, where)
        if isinstance(checked, CallShape):
            self._call(checked.id, where)
        return kind

    def _call(self, id: str, where: str) -> None:
        if id in self._calls:
            raise MalformedAnswer(f"{where}: two calls have the id {id}")
        self._calls.add(id)

    def _block_stop(self, event: Event) -> list[Event]:
        index = as_shape(BlockStopShape, event, "content_block_stop").index
        if index not in self._blocks:
            raise MalformedAnswer(f"content_block_stop: block {index} has not begun")
        self._open.pop(index, None)
        half = self._halves.pop(index, None)
        return [with_string(half, "\ufffd")] if half else []

    def _delta(self, event: Event) -> Event:
        where = "content_block_delta"
        index = as_shape(BlockDeltaShape, event, where).index
        if index not in self._open:
            raise MalformedAnswer(f"{where}: block {index} has {'ended' if index in self._blocks else 'not begun'}")
        delta, block = event["delta"], self._open[index]
        kind = as_shape(TypedShape, delta, f"{where}.delta").type
        shape, blocks = DELTAS.get(kind, (TypedShape, frozenset()))
        as_shape(shape, delta, f"{where}.delta")
        if blocks and block in BLOCKS and block not in blocks:
            raise MalformedAnswer(f"{where}: {kind} is no delta of a {block} block")
        string = string_of(event)
        return storable(event) if string is None else self._joined(event, index, string)

    def _joined(self, event: Event, index: int, string: str) -> Event:
        """Return a string delta with the surrogate that was held back, and without a trailing one."""
        rest: Event = storable(with_string(event, ""))
        held = self._halves.pop(index, None)
        string = (string_of(held) or "" if held else "") + string
        if "\ud800" <= string[-1:] <= "\udbff":
            self._halves[index] = with_string(rest, string[-1])
            string = string[:-1]
        return with_string(rest, whole_json(string) if "partial_json" in rest["delta"] else whole(string))
