"""Models: what they take, and what they cost today."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from conversations.contract.account import Money
from conversations.contract.setting_types import Effort


class ModelLimits(TypedDict):
    """The limits of a model, in tokens."""

    context_window: int
    max_output_tokens: int
    cache_minimum_tokens: int


class ModelCapabilities(TypedDict):
    """What the model supports."""

    temperature: Literal["yes", "no", "default_only"]
    thinking: list[str]
    thinking_default: str
    effort: list[Effort]
    effort_default: Effort | None
    prefill: bool
    forced_tool_choice: bool
    structured_outputs: bool
    high_resolution_images: bool


class ModelLifecycle(TypedDict):
    """Whether the model can still be used, and the date before which it will not be retired."""

    status: str
    retires_at: date | None


class Model(TypedDict):
    """A model that conversations can use."""

    id: str
    name: str
    aliases: list[str]
    limits: ModelLimits
    capabilities: ModelCapabilities
    prices: Annotated[
        dict[str, Money] | None,
        Field(description="US dollars per million tokens, or per thousand web searches; null if unknown."),
    ]
    lifecycle: ModelLifecycle


Link = Annotated[str | None, Field(description="Null if there are no more pages.", json_schema_extra={"format": "uri"})]


class ModelPage(TypedDict):
    """A page of the known models."""

    next: Link
    previous: Link
    results: list[Model]
