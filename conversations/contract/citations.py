"""Where Claude found what it says (claude-api.md 3.1)."""

from __future__ import annotations

from typing import Annotated, Literal

from typing_extensions import TypeAliasType, TypedDict

from conversations.contract.schema_building import TaggedBy, open_ended, unknown_tag


class CharLocation(TypedDict):
    """A citation of a range of characters in a plain text document."""

    type: Literal["char_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_char_index: int
    end_char_index: int


class PageLocation(TypedDict):
    """A citation of a range of pages in a PDF."""

    type: Literal["page_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_page_number: int
    end_page_number: int


class ContentBlockLocation(TypedDict):
    """A citation of a range of blocks in a document with custom content."""

    type: Literal["content_block_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_block_index: int
    end_block_index: int


class WebSearchResultLocation(TypedDict):
    """A citation of a page that Claude's web search returned."""

    type: Literal["web_search_result_location"]
    cited_text: str
    url: str
    title: str | None
    encrypted_index: str


class SearchResultLocation(TypedDict):
    """A citation of a search result that the client supplied."""

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
    """A citation of a kind that the platform does not know yet."""

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
