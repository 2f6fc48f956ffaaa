"""The text of content blocks, to which the offsets of evidence refer. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from conversations.content.media import DOCX, PDF, TEXTUAL, XLSX

READ = frozenset([PDF, DOCX, XLSX]) | TEXTUAL
"""The media types of documents that are read (extraction/documents/formats.py)."""
Kind = Literal["text", "document", "pdf", "image", "url"]
"""The kind of a block: written text, the text of a document, a PDF, an image, or the URL of a document."""


@dataclass(frozen=True)
class Source:
    """The text of one content block."""

    index: int
    """The index of the content block."""
    kind: Kind
    text: str | None
    """The text; None for images, and for URLs that Claude fetches."""
    pages: tuple[int, ...] = ()
    """The offset in code points at which each page begins; empty where the format has no pages."""
    title: str | None = None
    """The document's title, if it is known."""

    def page_at(self, offset: int) -> int | None:
        """Return the number, from 1, of the page at an offset, or None if there are no pages."""
        return bisect_right(self.pages, offset) or 1 if self.pages else None
