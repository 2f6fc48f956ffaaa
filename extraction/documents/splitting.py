"""Dividing content that is too long for one request into parts with overlap. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from extraction.documents.sources import Source


@dataclass(frozen=True)
class Piece:
    """What a part has of one source: characters from `start` to `end`, and pages from `first` to `last`."""

    source: int
    """The index of the content block."""
    start: int = 0
    end: int = 0
    first: int | None = None
    """The first page, from 1; None where the source has no pages, or is not sent by pages."""
    last: int | None = None
    """The last page, which belongs to the piece."""
    overlap: int = 0
    """So many characters at the beginning are the end of the same source's piece in the part before."""


@dataclass(frozen=True)
class Part:
    """What one request has of the content: a piece of each source that it shows, in the order of the blocks."""

    pieces: tuple[Piece, ...]


def split(sources: Sequence[Source], *, tokens: int, pages: int, image_tokens: int = 1600) -> list[Part]:
    """Return the parts in which content is sent: one, where it fits into one request.

    `tokens` is what a request may have of content by estimate (`tokens_of`), `pages` what it may have of PDFs' pages,
    `image_tokens` what an image or a page of a PDF costs besides its text. Long text is divided between paragraphs,
    else between lines, words or characters; PDFs are divided between pages. Each part repeats the end of the one
    before (Piece.overlap), and each character of each source is in some part. Short text blocks (instructions) are
    repeated in every part.
    """
    raise NotImplementedError


def tokens_of(text: str) -> int:
    """Return an estimate, rather too high, of the tokens of a text."""
    raise NotImplementedError
