"""Content blocks that a user may send (claude-api.md 6, 8). Fields that are not named here are refused."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import UUID7, Field
from typing_extensions import TypeAliasType, TypedDict

from conversations.contract.schema_building import TaggedBy, closed

ImageType = Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
FileType = Literal[
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "message/rfc822",
    "text/csv",
    "text/html",
    "text/plain",
]
Text = Annotated[str, Field(pattern=r"\S", description="Text that is not only white space.")]


@closed
class CacheControl(TypedDict):
    """A cache mark: Claude caches the prompt up to this point."""

    type: Literal["ephemeral"]
    ttl: NotRequired[Literal["5m", "1h"]]


@closed
class Citations(TypedDict):
    """Whether citations of the document are enabled."""

    enabled: NotRequired[bool]


class Cacheable(TypedDict):
    """What every block may have."""

    cache_control: NotRequired[CacheControl | None]


@closed
class Base64ImageSource(TypedDict):
    """An image in the request itself; it is stored as an attachment."""

    type: Literal["base64"]
    media_type: ImageType
    data: Annotated[str, Field(min_length=1, max_length=10 * 1024 * 1024, description="Base64-encoded data.")]


@closed
class Base64DocumentSource(TypedDict):
    """A PDF in the request itself; it is stored as an attachment."""

    type: Literal["base64"]
    media_type: Literal["application/pdf"]
    data: Annotated[str, Field(min_length=1, max_length=32 * 1024 * 1024, description="Base64-encoded data.")]


@closed
class UrlSource(TypedDict):
    """An https URL that Claude fetches; the platform never does."""

    type: Literal["url"]
    url: Annotated[str, Field(pattern=r"^https://\S+$", max_length=8192)]


@closed
class AttachmentSource(TypedDict):
    """A file that was uploaded or sent as base64 before. `media_type` and `url` may be sent back unchanged."""

    type: Literal["attachment"]
    attachment: UUID7
    media_type: NotRequired[str]
    url: NotRequired[str]


@closed
class PlainTextSource(TypedDict):
    """A document of plain text."""

    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: Text


@closed
class TextBlockParam(Cacheable):
    """A block of text that a user sends."""

    type: Literal["text"]
    text: Text


@closed
class ImageBlockParam(Cacheable):
    """An image that a user sends."""

    type: Literal["image"]
    source: Annotated[Base64ImageSource | UrlSource | AttachmentSource, TaggedBy()]


@closed
class ContentSource(TypedDict):
    """A document of custom content blocks, which Claude cites by their index."""

    type: Literal["content"]
    content: Text | Annotated[list[Annotated[TextBlockParam | ImageBlockParam, TaggedBy()]], Field(min_length=1)]


@closed
class DocumentBlockParam(Cacheable):
    """A document: a PDF, plain text, or custom content blocks."""

    type: Literal["document"]
    source: Annotated[Base64DocumentSource | UrlSource | AttachmentSource | PlainTextSource | ContentSource, TaggedBy()]
    title: NotRequired[str | None]
    context: NotRequired[str | None]
    citations: NotRequired[Citations | None]


@closed
class SearchResultBlockParam(Cacheable):
    """A search result that the client supplies, and that Claude can cite."""

    type: Literal["search_result"]
    source: Text
    title: Text
    content: Annotated[list[TextBlockParam], Field(min_length=1)]
    citations: NotRequired[Citations | None]


@closed
class ToolReferenceBlockParam(Cacheable):
    """A tool that the client's own tool search returned."""

    type: Literal["tool_reference"]
    tool_name: Text


ToolResultContentParam = TypeAliasType(
    "ToolResultContentParam",
    Annotated[
        TextBlockParam | ImageBlockParam | DocumentBlockParam | SearchResultBlockParam | ToolReferenceBlockParam,
        TaggedBy(),
    ],
)


@closed
class ToolResultBlockParam(Cacheable):
    """The result of a call of a client's tool."""

    type: Literal["tool_result"]
    tool_use_id: Text
    content: NotRequired[str | list[ToolResultContentParam]]
    is_error: NotRequired[bool]


@closed
class ToolResult(TypedDict):
    """The result of one call of a client's tool."""

    tool_use_id: Text
    content: str | list[ToolResultContentParam]
    is_error: NotRequired[bool]


ContentBlockParam = TypeAliasType(
    "ContentBlockParam",
    Annotated[
        TextBlockParam | ImageBlockParam | DocumentBlockParam | ToolResultBlockParam | SearchResultBlockParam,
        TaggedBy(),
    ],
)


@closed
class Base64FileSource(TypedDict):
    """A file in the request itself; it is stored as an attachment, and converted to text unless it is a PDF."""

    type: Literal["base64"]
    media_type: FileType
    data: Annotated[str, Field(min_length=1, max_length=32 * 1024 * 1024, description="Base64-encoded data.")]


@closed
class FileBlockParam(Cacheable):
    """A document to extract from: one that Claude accepts, an office document or an e-mail."""

    type: Literal["document"]
    source: Annotated[Base64FileSource | UrlSource | AttachmentSource | PlainTextSource | ContentSource, TaggedBy()]
    title: NotRequired[str | None]
    context: NotRequired[str | None]
    citations: NotRequired[Citations | None]


ExtractedContentParam = TypeAliasType(
    "ExtractedContentParam",
    Text
    | Annotated[
        list[Annotated[TextBlockParam | ImageBlockParam | FileBlockParam | SearchResultBlockParam, TaggedBy()]],
        Field(min_length=1, max_length=1000),
    ],
)
ContentParam = TypeAliasType(
    "ContentParam",
    Text | Annotated[list[ContentBlockParam], Field(min_length=1, max_length=1000)],
)
ToolResults = TypeAliasType("ToolResults", Annotated[list[ToolResult], Field(min_length=1, max_length=1000)])
SystemParam = TypeAliasType("SystemParam", str | list[TextBlockParam])
Metadata = TypeAliasType("Metadata", dict[str, object])
