"""Content blocks as they come back: the user's own with attachments for base64, and Claude's (claude-api.md 3.1).

Claude's blocks are kept as they came. Kinds and fields that are not named here pass through.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

from pydantic import with_config
from typing_extensions import TypeAliasType, TypedDict

from conversations.contract.schemas import TaggedBy, unknown_tag

open_ended = with_config(extra="allow")


class StoredAttachmentSource(TypedDict):
    """A file that the platform keeps."""

    type: Literal["attachment"]
    attachment: UUID
    media_type: str
    url: str


class StoredUrlSource(TypedDict):
    """An address that Claude fetches."""

    type: Literal["url"]
    url: str


class StoredTextSource(TypedDict):
    """Plain text."""

    type: Literal["text"]
    media_type: str
    data: str


class StoredContentSource(TypedDict):
    """Given parts: text, or blocks of text and images."""

    type: Literal["content"]
    content: str | list[ContentBlock]


@open_ended
class UnknownSource(TypedDict):
    """A source of a kind that is not known yet."""

    type: Annotated[str, unknown_tag(("attachment", "url", "text", "content"))]


Source = TypeAliasType(
    "Source",
    Annotated[
        StoredAttachmentSource | StoredUrlSource | StoredTextSource | StoredContentSource | UnknownSource, TaggedBy()
    ],
)


class CharLocation(TypedDict):
    """A citation by characters of a plain text document."""

    type: Literal["char_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_char_index: int
    end_char_index: int


class PageLocation(TypedDict):
    """A citation by pages of a PDF."""

    type: Literal["page_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_page_number: int
    end_page_number: int


class ContentBlockLocation(TypedDict):
    """A citation by the parts of a document."""

    type: Literal["content_block_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_block_index: int
    end_block_index: int


class WebSearchResultLocation(TypedDict):
    """A citation of a page that Claude's web search found."""

    type: Literal["web_search_result_location"]
    cited_text: str
    url: str
    title: str | None
    encrypted_index: str


class SearchResultLocation(TypedDict):
    """A citation of a search result that the client gave."""

    type: Literal["search_result_location"]
    cited_text: str
    source: str
    title: str | None
    search_result_index: int
    start_block_index: int
    end_block_index: int


LOCATIONS = (
    "char_location",
    "page_location",
    "content_block_location",
    "web_search_result_location",
    "search_result_location",
)


@open_ended
class UnknownLocation(TypedDict):
    """A citation of a kind that is not known yet."""

    type: Annotated[str, unknown_tag(LOCATIONS)]


Citation = TypeAliasType(
    "Citation",
    Annotated[
        CharLocation
        | PageLocation
        | ContentBlockLocation
        | WebSearchResultLocation
        | SearchResultLocation
        | UnknownLocation,
        TaggedBy(),
    ],
)


class TextBlock(TypedDict):
    """Text."""

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
    """What a tool came to."""

    type: Literal["tool_result"]
    tool_use_id: str
    content: NotRequired[str | list[ContentBlock]]
    is_error: NotRequired[bool]


class SearchResultBlock(TypedDict):
    """A search result that the client gave."""

    type: Literal["search_result"]
    source: str
    title: str
    content: list[TextBlock]


class ToolReferenceBlock(TypedDict):
    """A tool that a tool search has found."""

    type: Literal["tool_reference"]
    tool_name: str


class ThinkingBlock(TypedDict):
    """Claude's thinking; empty where it is not shown."""

    type: Literal["thinking"]
    thinking: str
    signature: NotRequired[str]


class RedactedThinkingBlock(TypedDict):
    """Thinking that only Claude can read."""

    type: Literal["redacted_thinking"]
    data: str


class ToolUseBlock(TypedDict):
    """A call of a tool of the client's or the platform's."""

    type: Literal["tool_use"]
    id: str
    name: str
    input: dict[str, Any]


class ServerToolUseBlock(TypedDict):
    """A call of a tool that Claude's own servers run."""

    type: Literal["server_tool_use"]
    id: str
    name: str
    input: dict[str, Any]


class ServerToolResultBlock(TypedDict):
    """What a tool of Claude's own servers came to; `content` is as Claude sends it, an error included."""

    type: Literal[
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "mcp_tool_result",
    ]
    tool_use_id: str
    content: Any


class ContainerUploadBlock(TypedDict):
    """A file in the container of Claude's code."""

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
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "mcp_tool_result",
    "container_upload",
)


@open_ended
class UnknownBlock(TypedDict):
    """A block of a kind that Claude has added since; it passes through as it came."""

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
