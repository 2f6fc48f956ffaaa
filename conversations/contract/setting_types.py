"""What Claude is asked with: tools, the choice among them, thinking (claude-api.md 2.4, 2.5, 8)."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from conversations.contract.input_blocks import CacheControl
from conversations.contract.schema_building import TaggedBy, closed, open_ended, open_enum, unknown_tag

ToolName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
Effort = Annotated[str, open_enum("low", "medium", "high", "xhigh", "max")]


class ObjectSchema(TypedDict):
    """A JSON Schema of an object."""

    type: Literal["object"]


@open_ended
class ClientTool(TypedDict):
    """A tool that the client runs: the turn waits in `awaiting_tools` until its results are handed in."""

    type: NotRequired[Literal["custom"]]
    name: ToolName
    description: NotRequired[str]
    input_schema: ObjectSchema
    strict: NotRequired[bool]
    cache_control: NotRequired[CacheControl | None]
    defer_loading: NotRequired[bool]
    eager_input_streaming: NotRequired[bool]
    input_examples: NotRequired[list[dict[str, object]]]
    allowed_callers: NotRequired[list[str]]


@open_ended
class PlatformTool(TypedDict):
    """A tool that the platform runs, by its name."""

    type: Literal["platform"]
    name: ToolName
    cache_control: NotRequired[CacheControl | None]


@open_ended
class ClaudeTool(TypedDict):
    """A tool that Claude defines, such as `web_search_20260318`, with the fields of its kind."""

    type: Annotated[str, unknown_tag(("custom", "platform"))]
    name: NotRequired[ToolName]
    max_uses: NotRequired[Annotated[int, Field(ge=1)] | None]
    cache_control: NotRequired[CacheControl | None]


ToolParam = TypeAliasType("ToolParam", ClientTool | PlatformTool | ClaudeTool)


@closed
class ToolChoiceAuto(TypedDict):
    """Claude decides itself whether to use tools, and which."""

    type: Literal["auto"]
    disable_parallel_tool_use: NotRequired[bool]


@closed
class ToolChoiceAny(TypedDict):
    """Some tool has to be used."""

    type: Literal["any"]
    disable_parallel_tool_use: NotRequired[bool]


@closed
class ToolChoiceTool(TypedDict):
    """This tool has to be used."""

    type: Literal["tool"]
    name: str
    disable_parallel_tool_use: NotRequired[bool]


@closed
class ToolChoiceNone(TypedDict):
    """No tool may be used."""

    type: Literal["none"]


ToolChoice = TypeAliasType(
    "ToolChoice", Annotated[ToolChoiceAuto | ToolChoiceAny | ToolChoiceTool | ToolChoiceNone, TaggedBy()]
)

Display = Literal["summarized", "omitted"]


@open_ended
class ThinkingAdaptive(TypedDict):
    """Claude thinks as much as it finds right."""

    type: Literal["adaptive"]
    display: NotRequired[Display | None]


@open_ended
class ThinkingEnabled(TypedDict):
    """Claude thinks within a budget of tokens."""

    type: Literal["enabled"]
    budget_tokens: Annotated[int, Field(ge=1024)]
    display: NotRequired[Display | None]


@open_ended
class ThinkingBetweenTools(TypedDict):
    """Claude thinks only between calls of tools."""

    type: Literal["between_tools"]


@open_ended
class ThinkingDisabled(TypedDict):
    """Claude does not think."""

    type: Literal["disabled"]


@open_ended
class ThinkingUnknown(TypedDict):
    """A kind of thinking of a model that the catalogue does not know."""

    type: Annotated[str, unknown_tag(("adaptive", "enabled", "between_tools", "disabled"))]


Thinking = TypeAliasType(
    "Thinking",
    Annotated[
        ThinkingAdaptive | ThinkingEnabled | ThinkingBetweenTools | ThinkingDisabled | ThinkingUnknown, TaggedBy()
    ],
)
