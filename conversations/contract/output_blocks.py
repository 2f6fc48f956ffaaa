"""Content blocks as they come back: the user's own with attachments for base64, and Claude's (claude-api.md 3.1).

Claude's blocks are kept as they came. Kinds and fields that are not named here pass through.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, get_args
from uuid import UUID

from typing_extensions import TypeAliasType, TypedDict

from conversations.contract.citations import Citation
from conversations.contract.schema_building import TaggedBy, open_ended, unknown_tag


class StoredAttachmentSource(TypedDict):
    """A file that the platform stores."""

    type: Literal["attachment"]
    attachment: UUID
    media_type: str
    url: str


class StoredUrlSource(TypedDict):
    """A URL that Claude fetches."""

    type: Literal["url"]
    url: str


class StoredTextSource(TypedDict):
    """A document's plain text, as it was sent."""

    type: Literal["text"]
    media_type: str
    data: str


class StoredContentSource(TypedDict):
    """Custom content: text, or blocks of text and images."""

    type: Literal["content"]
    content: str | list[ContentBlock]


@open_ended
class UnknownSource(TypedDict):
    """A source of a kind that the platform does not know yet."""

    type: Annotated[str, unknown_tag(("attachment", "url", "text", "content"))]


Source = TypeAliasType(
    "Source",
    Annotated[
        StoredAttachmentSource | StoredUrlSource | StoredTextSource | StoredContentSource | UnknownSource, TaggedBy()
    ],
)


class TextBlock(TypedDict):
    """A block of text, with its citations if it has any."""

    type: Literal["text"]
    text: str
    citations: NotRequired[list[Citation] | None]


class ImageBlock(TypedDict):
    """An image that the user sent."""

    type: Literal["image"]
    source: Source


class DocumentBlock(TypedDict):
    """A document that the user sent."""

    type: Literal["document"]
    source: Source
    title: NotRequired[str | None]
    context: NotRequired[str | None]


class ToolResultBlock(TypedDict):
    """The result of a tool call."""

    type: Literal["tool_result"]
    tool_use_id: str
    content: NotRequired[str | list[ContentBlock]]
    is_error: NotRequired[bool]


class SearchResultBlock(TypedDict):
    """A search result that the client supplied."""

    type: Literal["search_result"]
    source: str
    title: str
    content: list[TextBlock]


class ToolReferenceBlock(TypedDict):
    """A tool that a tool search returned."""

    type: Literal["tool_reference"]
    tool_name: str


class ThinkingBlock(TypedDict):
    """Claude's thinking; empty if it is omitted."""

    type: Literal["thinking"]
    thinking: str
    signature: NotRequired[str]


class RedactedThinkingBlock(TypedDict):
    """Thinking in encrypted form, which only Claude can read."""

    type: Literal["redacted_thinking"]
    data: str


class ToolUseBlock(TypedDict):
    """A call of a client's or a platform's tool."""

    type: Literal["tool_use"]
    id: str
    name: str
    input: dict[str, object]


class ServerToolUseBlock(TypedDict):
    """A call of a server tool, which Anthropic runs."""

    type: Literal["server_tool_use"]
    id: str
    name: str
    input: dict[str, object]


ServerToolResult = Literal[
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "mcp_tool_result",
]


class ServerToolResultBlock(TypedDict):
    """The result of a server tool; `content` is as Claude sends it, and may be an error."""

    type: ServerToolResult
    tool_use_id: str
    content: str | dict[str, object] | list[dict[str, object]]


class ContainerUploadBlock(TypedDict):
    """A file in the container of Claude's code execution."""

    type: Literal["container_upload"]
    file_id: str


BLOCKS = (
    "text",
    "image",
    "document",
    "tool_result",
    "search_result",
    "tool_reference",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "server_tool_use",
    *get_args(ServerToolResult),
    "container_upload",
)


@open_ended
class ExportedBlock(TypedDict):
    """A block as it is stored. An attachment is given by its id in the export's `attachments`."""

    type: str


@open_ended
class UnknownBlock(TypedDict):
    """A block of a type that the platform does not know yet; it is passed on unchanged."""

    type: Annotated[str, unknown_tag(BLOCKS)]


ContentBlock = TypeAliasType(
    "ContentBlock",
    Annotated[
        TextBlock
        | ImageBlock
        | DocumentBlock
        | ToolResultBlock
        | SearchResultBlock
        | ToolReferenceBlock
        | ThinkingBlock
        | RedactedThinkingBlock
        | ToolUseBlock
        | ServerToolUseBlock
        | ServerToolResultBlock
        | ContainerUploadBlock
        | UnknownBlock,
        TaggedBy(),
    ],
)
