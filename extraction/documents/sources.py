"""The text of content blocks: what Claude is shown, and what the offsets of evidence count in. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from conversations.content.media import DOCX, PDF, TEXTUAL, XLSX

READ = frozenset([PDF, DOCX, XLSX]) | TEXTUAL
"""The media types of documents that are read (extraction/documents/formats.py)."""
Kind = Literal["text", "document", "pdf", "image", "url"]
"""What a block is: text that somebody wrote, the text of a document, a PDF, an image, or an address of a document."""


@dataclass(frozen=True)
class Source:
    """The text of one content block."""

    index: int
    """Of the content block."""
    kind: Kind
    text: str | None
    """None where only Claude sees what is there: images, and addresses that it fetches."""
    pages: tuple[int, ...] = ()
    """The offset in code points at which each page begins; empty where the format has no pages."""
    title: str | None = None
    """What the document is called, where that is known."""

    def page_at(self, offset: int) -> int | None:
        """Return the number, from 1, of the page that has this offset, or None where there are no pages."""
        return bisect_right(self.pages, offset) or 1 if self.pages else None
