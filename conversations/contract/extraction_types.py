"""What an extraction comes to."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from conversations.contract.schema_building import TaggedBy, closed

JsonSchemaObject = TypeAliasType("JsonSchemaObject", dict[str, object])


SchemaReference = TypeAliasType(
    "SchemaReference",
    Annotated[str | JsonSchemaObject, Field(description="A schema's id, its name, `name@version`, or a JSON Schema.")],
)


class ExampleText(TypedDict):
    """A piece of text."""

    type: Literal["text"]
    text: Annotated[str, Field(min_length=1)]


@closed
class SchemaExample(TypedDict):
    """Example content, and the correct data for it."""

    content: str | list[ExampleText]
    data: object


class Problem(TypedDict):
    """An error in the data at a place."""

    path: Annotated[str, Field(description="A JSON Pointer.")]
    message: str


class ReviewShown(TypedDict):
    """A reviewer's decision on extracted data."""

    decision: Literal["approved", "rejected", "corrected"]
    comment: str
    reviewer: Annotated[str | None, Field(description="The reviewer's user name; null if the account is deleted.")]
    created_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Evidence(TypedDict):
    """A quote from the source that supports a value."""

    path: str
    quote: str
    start: NotRequired[int | None]
    end: NotRequired[int | None]
    page: NotRequired[int]
    source: Annotated[int, Field(description="The index of the content block.")]
    status: Literal["exact", "fuzzy", "not_found", "claimed"]


class PlacedInExtraction(TypedDict):
    """What every event of an extraction has."""

    extraction: UUID
    position: Annotated[int, Field(ge=1, description="The position in the transcript after this event.")]


class ExtractionStart(PlacedInExtraction):
    """The first event of an extraction: it has begun."""

    type: Literal["extraction_start"]
    model: str


class AttemptStart(PlacedInExtraction):
    """A request for the data is sent to Claude."""

    type: Literal["attempt_start"]
    attempt: Annotated[int, Field(ge=1)]


class Partial(PlacedInExtraction):
    """All data extracted so far; each `partial` event replaces the one before."""

    type: Literal["partial"]
    data: object


class AttemptEnd(PlacedInExtraction):
    """Claude's answer was validated."""

    type: Literal["attempt_end"]
    attempt: Annotated[int, Field(ge=1)]
    problems: list[Problem]


class ExtractionEnd(PlacedInExtraction):
    """The last event. It has the extraction, as `getExtraction` returns it."""

    type: Literal["extraction_end"]
    id: UUID
    status: str
    data: object
    problems: list[Problem]
    evidence: list[Evidence]


ExtractionEvent = TypeAliasType(
    "ExtractionEvent",
    Annotated[ExtractionStart | AttemptStart | Partial | AttemptEnd | ExtractionEnd, TaggedBy()],
)
