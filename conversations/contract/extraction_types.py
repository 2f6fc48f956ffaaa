"""What an extraction comes to."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

JsonSchemaObject = TypeAliasType("JsonSchemaObject", dict[str, Any])


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
