"""What an extraction comes to."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from conversations.contract.schema_building import closed

JsonSchemaObject = TypeAliasType("JsonSchemaObject", dict[str, Any])


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
    """Content, and the data that is right for it."""

    content: str | list[ExampleText]
    data: Any


class Problem(TypedDict):
    """What is wrong with the data at a place."""

    path: Annotated[str, Field(description="A JSON Pointer.")]
    message: str


class Evidence(TypedDict):
    """Where in the source a value stands."""

    path: str
    quote: str
    start: NotRequired[int | None]
    end: NotRequired[int | None]
    page: NotRequired[int]
    source: Annotated[int, Field(description="The index of the content block.")]
    status: Literal["exact", "fuzzy", "not_found", "claimed"]
