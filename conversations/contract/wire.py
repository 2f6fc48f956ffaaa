"""Claude's wire as the platform works with it: blocks, deltas, messages, requests (claude-api.md 2, 4, 6, 8).

A type has the fields that the platform reads, of all kinds together; `type` tells which of them are there. Kinds and
fields that are not named pass through. What clients are told of each kind stands in `input_blocks` and `output_blocks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Required, TypeAlias

from typing_extensions import TypedDict

from conversations.contract.citations import Citation
from conversations.contract.input_blocks import CacheControl, Citations
from conversations.json_types import JSONObject

Usage: TypeAlias = Mapping[str, object]
"""Counts of tokens and how a request was served; whatever Claude sends is kept, and read by `claude.pricing`."""


class Source(TypedDict, total=False):
    """Where the bytes of an image or a document are, or the parts that a document consists of."""

    type: Required[str]
    media_type: str
    data: str
    url: str
    attachment: str
    content: str | list[Block]
    path: str
    """Where the storage has the bytes of an attachment, on its way to Claude."""
    size: int
    """In bytes, in place of the data where only sizes are known."""


class Block(TypedDict, total=False):
    """A content block of any kind."""

    type: Required[str]
    text: str
    thinking: str
    signature: str
    data: str
    id: str
    name: str
    input: JSONObject
    caller: JSONObject
    toolset_name: str
    tool_use_id: str
    content: str | list[Block]
    is_error: bool
    source: Source
    """Of an image or a document. Of a search result it is a string, which only the check of what users send reads."""
    title: str | None
    context: str | None
    citations: Citations | list[Citation] | None
    """Whether a document is cited; of a text of Claude's, what it cites."""
    tool_name: str
    cache_control: CacheControl | None


class Delta(TypedDict, total=False):
    """What a content_block_delta adds to its block, or a message_delta tells of its message."""

    type: str
    text: str
    thinking: str
    partial_json: str
    signature: str
    citation: Citation
    stop_reason: str | None
    stop_sequence: str | None
    stop_details: JSONObject | None


class Answer(TypedDict, total=False):
    """Claude's message: as message_start has it, or whole."""

    type: str
    id: str
    role: str
    model: str
    content: list[Block]
    stop_reason: str | None
    stop_sequence: str | None
    stop_details: JSONObject | None
    usage: Usage | None


class Message(TypedDict):
    """A message of a request."""

    role: str
    content: list[Block]


class Thinking(TypedDict, total=False):
    """How a request has Claude think."""

    type: Required[str]
    budget_tokens: int
    display: str | None


class Tool(TypedDict, total=False):
    """A tool that a request has: the client's, the platform's or one that Claude defines."""

    type: str
    name: str
    description: str
    input_schema: JSONObject
    max_uses: int | None
    max_content_tokens: int | None
    cache_control: CacheControl | None


class ToolChoice(TypedDict, total=False):
    """Which of its tools Claude has to use."""

    type: Required[str]
    name: str
    disable_parallel_tool_use: bool


class OutputConfig(TypedDict, total=False):
    """How much effort Claude makes, and the schema that its answer is to have."""

    effort: str
    format: JSONObject


class Settings(TypedDict, total=False):
    """What Claude is asked with, as conversations and turns have it; a null takes a setting away."""

    model: Required[str]
    max_tokens: Required[int]
    system: str | list[Block] | None
    temperature: float | None
    stop_sequences: list[str] | None
    thinking: Thinking | None
    tools: list[Tool] | None
    tool_choice: ToolChoice | None
    effort: str | None


class Request(TypedDict, total=False):
    """The body of a Messages request."""

    model: Required[str]
    max_tokens: Required[int]
    messages: Required[list[Message]]
    system: str | list[Block]
    temperature: float
    stop_sequences: list[str]
    thinking: Thinking
    tools: list[Tool]
    tool_choice: ToolChoice
    output_config: OutputConfig
    container: str
    cache_control: CacheControl
