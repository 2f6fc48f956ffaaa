"""The events of a turn, the same over SSE and WebSocket: Claude's (claude-api.md 4.1) between two of our own.

Each has the turn's id and its position. Kinds and fields that are not named here pass through.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from conversations.contract.citations import Citation
from conversations.contract.error_types import Failure, StopReason
from conversations.contract.output_blocks import ContentBlock
from conversations.contract.schema_building import TaggedBy, open_ended, unknown_tag

Status = Literal["completed", "cancelled", "failed", "interrupted"]
Cost = Annotated[str | None, Field(description="US dollars as a decimal string; null if a price is unknown.")]


class Placed(TypedDict):
    """What every event has."""

    turn: UUID
    position: Annotated[int, Field(ge=1, description="The position in the transcript after this event.")]


class UsageSum(TypedDict):
    """The total usage of several requests to Claude."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int
    requests: int


class TurnStart(Placed):
    """The first event of a transcript: the turn begins."""

    type: Literal["turn_start"]
    conversation: UUID
    model: str
    user_message: Annotated[UUID | None, Field(description="Null if the turn was cancelled before it began.")]


class ClaudeMessage(TypedDict):
    """The start of a message, as Claude sends it."""

    role: NotRequired[Literal["assistant"]]
    content: NotRequired[list[ContentBlock]]
    model: NotRequired[str]
    usage: NotRequired[dict[str, object] | None]


class MessageStart(Placed):
    """A message of Claude begins."""

    type: Literal["message_start"]
    message: ClaudeMessage


class ContentBlockStart(Placed):
    """A content block begins. Its text is empty, and follows in deltas."""

    type: Literal["content_block_start"]
    index: int
    content_block: ContentBlock


class TextDelta(TypedDict):
    """Text to append to its block."""

    type: Literal["text_delta"]
    text: str


class ThinkingDelta(TypedDict):
    """Thinking to append to its block."""

    type: Literal["thinking_delta"]
    thinking: str


class InputJsonDelta(TypedDict):
    """A part of the JSON of a tool's input."""

    type: Literal["input_json_delta"]
    partial_json: str


class SignatureDelta(TypedDict):
    """The signature of a thinking block."""

    type: Literal["signature_delta"]
    signature: str


class CitationsDelta(TypedDict):
    """A further citation of a text block."""

    type: Literal["citations_delta"]
    citation: Citation


@open_ended
class UnknownDelta(TypedDict):
    """A delta of a type that the platform does not know yet."""

    type: Annotated[
        str,
        unknown_tag(("text_delta", "thinking_delta", "input_json_delta", "signature_delta", "citations_delta")),
    ]


Delta = TypeAliasType(
    "Delta",
    Annotated[TextDelta | ThinkingDelta | InputJsonDelta | SignatureDelta | CitationsDelta | UnknownDelta, TaggedBy()],
)


class ContentBlockDelta(Placed):
    """A part of a content block."""

    type: Literal["content_block_delta"]
    index: int
    delta: Delta


class ContentBlockStop(Placed):
    """A content block is complete."""

    type: Literal["content_block_stop"]
    index: int


class MessageEnd(TypedDict):
    """How a message of Claude ended."""

    stop_reason: NotRequired[StopReason | None]
    stop_sequence: NotRequired[str | None]
    stop_details: NotRequired[dict[str, object] | None]


class MessageDelta(Placed):
    """How a message ended. Its usage is cumulative."""

    type: Literal["message_delta"]
    delta: NotRequired[MessageEnd]
    usage: NotRequired[dict[str, object] | None]


class MessageStop(Placed):
    """The message is complete."""

    type: Literal["message_stop"]


class ToolResultEvent(Placed):
    """The result of a tool that the server ran, or that the client submitted."""

    type: Literal["tool_result"]
    tool_use_id: str
    content: NotRequired[str | list[ContentBlock]]
    is_error: NotRequired[bool]


class ErrorEvent(Placed):
    """The error that made the turn fail; `turn_end` follows."""

    type: Literal["error"]
    error: Failure


class TurnEnd(Placed):
    """The turn has ended."""

    type: Literal["turn_end"]
    status: Status
    stop_reason: StopReason | None
    usage: UsageSum
    cost: Cost
    messages: list[UUID]


EVENTS = (
    "turn_start",
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "tool_result",
    "error",
    "turn_end",
)


@open_ended
class UnknownEvent(Placed):
    """An event of a type that the platform does not know yet; it is passed on unchanged."""

    type: Annotated[str, unknown_tag(EVENTS)]


TurnEvent = TypeAliasType(
    "TurnEvent",
    Annotated[
        TurnStart
        | MessageStart
        | ContentBlockStart
        | ContentBlockDelta
        | ContentBlockStop
        | MessageDelta
        | MessageStop
        | ToolResultEvent
        | ErrorEvent
        | TurnEnd
        | UnknownEvent,
        TaggedBy(),
    ],
)


class TokenPiece(TypedDict):
    """A piece of text."""

    token: str


class TokensDone(TypedDict):
    """The turn was completed or stopped."""

    done: Literal[True]


class TokensError(TypedDict):
    """The last event of a turn that failed."""

    error: str


TokenEvent = TypeAliasType("TokenEvent", TokenPiece | TokensDone | TokensError)
