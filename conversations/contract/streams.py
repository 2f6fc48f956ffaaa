"""Server-sent events: how the events of a turn stand on the wire of HTTP, each a frame with a JSON text in it."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import Field, Json, create_model
from typing_extensions import TypeAliasType, TypedDict

from conversations.contract.event_types import EVENTS, TokenEvent, TurnEvent
from conversations.contract.extraction_types import ExtractionEvent
from conversations.contract.schema_building import TaggedBy, unknown_tag

Id = Annotated[str, Field(pattern=r"^\d+$", description="The event's position, for `Last-Event-ID`.")]


def _frame(event: Any) -> Any:
    """Return the type of the frames that carry an event of this type."""
    tag = get_type_hints(event, include_extras=True)["type"]
    name = Annotated[str, unknown_tag((*EVENTS, "message"))] if get_origin(tag) is Annotated else tag
    doc = f"An event of the stream: {event.__doc__}"
    return create_model(f"{event.__name__}Frame", __doc__=doc, id=(Id, ...), event=(name, ...), data=(Json[event], ...))  # type: ignore[misc]


class TokenFrame(TypedDict):
    """With `format=tokens`: a part of the text, or the end. An event without a name is a `message`."""

    event: Literal["message"]
    data: Json[TokenEvent]


_members = [_frame(each) for each in get_args(get_args(TurnEvent.__value__)[0])]
StreamEvent = TypeAliasType(
    "StreamEvent",
    Annotated[reduce(or_, [*_members, TokenFrame]), TaggedBy("event")],  # type: ignore[valid-type]
)
_extraction_members = [_frame(each) for each in get_args(get_args(ExtractionEvent.__value__)[0])]
ExtractionStreamEvent = TypeAliasType(
    "ExtractionStreamEvent",
    Annotated[reduce(or_, _extraction_members), TaggedBy("event")],  # type: ignore[valid-type]
)
