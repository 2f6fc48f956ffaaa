"""The shapes of the events of Claude's stream, of their blocks and of their deltas (claude-api.md 4.1). Pure.

Fields that are not named here are not checked.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from conversations.content.folding import CALLS
from conversations.errors import MalformedAnswer

Object = dict[str, object]
Index = Annotated[int, Field(ge=0, lt=2**31)]
Id = Annotated[str, StringConstraints(pattern="^[!-~]{1,200}$")]
Kind = Annotated[str, StringConstraints(pattern="^[!-~]{1,100}$")]
"""A `type`. It becomes a line of a server-sent event, and must not end that."""
WITHOUT_NUL = "^[^\\x00]*$"  # no text column accepts NUL
ModelId = Annotated[str, StringConstraints(pattern=WITHOUT_NUL, max_length=200)]
StopReason = Annotated[str, StringConstraints(pattern=WITHOUT_NUL, max_length=100)]
StopSequence = Annotated[str, StringConstraints(pattern=WITHOUT_NUL, max_length=10_000)]


class Shape(BaseModel):
    """The base of all shapes: types are not coerced, and fields that a shape does not name pass unchecked."""

    model_config = ConfigDict(strict=True)


class TypedShape(Shape):
    """An event, a block or a delta of a kind that is not known."""

    type: Kind


class StopShape(Shape):
    """Why an answer ended, as message_delta tells it; also what message_start may have of it already."""

    stop_reason: StopReason | None = None
    stop_sequence: StopSequence | None = None
    stop_details: Object | None = None
    container: Object | None = None


class MessageShape(StopShape):
    """The message of message_start: the answer before its content."""

    id: Id | None = None
    role: Literal["assistant"] = "assistant"
    model: ModelId | None = None
    content: list[object] | None = None
    """Complete blocks with which the continuation of an answer with Claude's own tools may begin."""
    usage: Object | None = None


class MessageStartShape(Shape):
    """The event that begins an answer."""

    message: MessageShape


class BlockStartShape(Shape):
    """The event that begins a content block."""

    index: Index
    content_block: Object


class BlockDeltaShape(Shape):
    """The event that adds to a content block."""

    index: Index
    delta: Object


class BlockStopShape(Shape):
    """The event that ends a content block."""

    index: Index


class MessageDeltaShape(Shape):
    """The event that tells why an answer ended, and what it used."""

    delta: StopShape | None = None
    usage: Object | None = None


class TextShape(Shape):
    """A content block of text, with its citations if it has any."""

    text: str
    citations: list[Object] | None = None


class ThinkingShape(Shape):
    """A content block of thinking, with its signature once it is whole."""

    thinking: str
    signature: str | None = None


class RedactedThinkingShape(Shape):
    """A block of thinking that only Claude can read."""

    data: str


class CallShape(Shape):
    """A call of a tool, the client's or Claude's own. Some servers leave an empty input out."""

    id: Id
    name: Annotated[str, StringConstraints(pattern="^[!-~]{1,200}$")]
    input: Object = Field(default_factory=dict)


class ServerResultShape(Shape):
    """A content block with the result of a tool that Claude runs itself."""

    tool_use_id: Id
    content: object


class TextDeltaShape(Shape):
    """The delta that adds to a text block."""

    text: str


class ThinkingDeltaShape(Shape):
    """The delta that adds to a thinking block."""

    thinking: str


class InputDeltaShape(Shape):
    """The delta that adds to the JSON of a tool call's input."""

    partial_json: str


class SignatureDeltaShape(Shape):
    """The delta that signs a thinking block."""

    signature: str


class CitationsDeltaShape(Shape):
    """The delta that adds a citation to a text block."""

    citation: Object


BLOCKS: dict[str, type[Shape]] = {
    "text": TextShape,
    "thinking": ThinkingShape,
    "redacted_thinking": RedactedThinkingShape,
    **dict.fromkeys(CALLS, CallShape),
}
DELTAS: dict[str, tuple[type[Shape], frozenset[str]]] = {
    "text_delta": (TextDeltaShape, frozenset({"text"})),
    "citations_delta": (CitationsDeltaShape, frozenset({"text"})),
    "thinking_delta": (ThinkingDeltaShape, frozenset({"thinking"})),
    "signature_delta": (SignatureDeltaShape, frozenset({"thinking"})),
    "input_json_delta": (InputDeltaShape, CALLS),
}
"""The shape of each kind of delta, and the known blocks that it can be of."""


def shape_of_block(kind: str) -> type[Shape]:
    """Return the shape of a kind of block: one for all results of Claude's own tools, of unknown kinds a type."""
    return ServerResultShape if kind.endswith("_tool_result") else BLOCKS.get(kind, TypedShape)


S = TypeVar("S", bound=Shape)


def as_shape(shape: type[S], value: object, where: str) -> S:
    """Return the value, which is JSON or an object of the SDK's, as an instance of the shape.

    Raises MalformedAnswer, whose message begins with `where` and the place in the value, where it does not fit.
    """
    try:
        return shape.model_validate(value, from_attributes=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, (where, *found["loc"])))
        raise MalformedAnswer(f"{place}: {found['msg']}") from None
