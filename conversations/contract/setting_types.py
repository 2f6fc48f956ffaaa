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
    """A tool that the client runs: the turn is `awaiting_tools` until the results are submitted."""

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
    """A tool that the platform runs, given by its name."""

    type: Literal["platform"]
    name: ToolName
    cache_control: NotRequired[CacheControl | None]


@open_ended
class ClaudeTool(TypedDict):
    """A tool that Anthropic defines, such as `web_search_20260318`, with the fields of its type."""

    type: Annotated[str, unknown_tag(("custom", "platform"))]
    name: NotRequired[ToolName]
    max_uses: NotRequired[Annotated[int, Field(ge=1)] | None]
    cache_control: NotRequired[CacheControl | None]


ToolParam = TypeAliasType("ToolParam", ClientTool | PlatformTool | ClaudeTool)


@closed
class ToolChoiceAuto(TypedDict):
    """Claude decides whether to use tools, and which."""

    type: Literal["auto"]
    disable_parallel_tool_use: NotRequired[bool]


@closed
class ToolChoiceAny(TypedDict):
    """Claude must use a tool."""

    type: Literal["any"]
    disable_parallel_tool_use: NotRequired[bool]


@closed
class ToolChoiceTool(TypedDict):
    """Claude must use this tool."""

    type: Literal["tool"]
    name: str
    disable_parallel_tool_use: NotRequired[bool]


@closed
class ToolChoiceNone(TypedDict):
    """Claude must not use tools."""

    type: Literal["none"]


ToolChoice = TypeAliasType(
    "ToolChoice", Annotated[ToolChoiceAuto | ToolChoiceAny | ToolChoiceTool | ToolChoiceNone, TaggedBy()]
)

Display = Literal["summarized", "omitted"]


@open_ended
class ThinkingAdaptive(TypedDict):
    """Claude decides itself whether and how much to think."""

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
    """Claude thinks only between tool calls."""

    type: Literal["between_tools"]


@open_ended
class ThinkingDisabled(TypedDict):
    """Claude does not think."""

    type: Literal["disabled"]


@open_ended
class ThinkingUnknown(TypedDict):
    """A kind of thinking that the platform does not know, for models that are not in the catalogue."""

    type: Annotated[str, unknown_tag(("adaptive", "enabled", "between_tools", "disabled"))]


Thinking = TypeAliasType(
    "Thinking",
    Annotated[
        ThinkingAdaptive | ThinkingEnabled | ThinkingBetweenTools | ThinkingDisabled | ThinkingUnknown, TaggedBy()
    ],
)
