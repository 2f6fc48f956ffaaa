"""Dividing content that is too long for one request into overlapping parts. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from extraction.documents.sources import Source

BYTES_PER_TOKEN = 2.5
"""Bytes of UTF-8 per token; English has about three with newer tokenizers, number tables fewer (claude-api.md 9)."""
IMAGE_TOKENS = 1600
"""The maximal tokens of an image, or of the image of a PDF's page, without high resolution."""
URL_TOKENS = 50_000
"""An estimate of the tokens of a URL that Claude fetches."""
SHORT = 2000
"""The maximal characters of a first or last text that counts as a question, and is repeated in every part."""
OVERLAP = 10
"""The inverse of the share of a piece of text that is repeated in the next one."""


@dataclass(frozen=True)
class Piece:
    """A part's share of one source: characters from `start` to `end`, and pages from `first` to `last`."""

    source: int
    """The index of the content block."""
    start: int = 0
    end: int = 0
    first: int | None = None
    """The first page, from 1; None where the source is not sent by pages."""
    last: int | None = None
    """The last page, inclusive."""
    overlap: int = 0
    """The number of characters at the beginning that repeat the end of the same source's piece in the part before."""


@dataclass(frozen=True)
class Part:
    """The content of one request: a piece of each source in it, in the order of the blocks."""

    pieces: tuple[Piece, ...]


def split(sources: Sequence[Source], *, tokens: int, pages: int, image_tokens: int = IMAGE_TOKENS) -> list[Part]:
    """Divide content into parts: a single one if it fits into one request.

    `tokens` is the maximal content of a request by estimate (`tokens_of`), `pages` its maximal number of PDF pages and
    images, `image_tokens` the tokens of one of these besides its text. Long text is divided between paragraphs, or else
    between lines, words or characters; PDFs are divided between pages. Each part repeats the end of the one before
    (Piece.overlap), and each character of each source is in some part. A short first or last text block is repeated in
    every part.
    """
    repeated = [source for source in (*sources[:1], *sources[1:][-1:]) if _is_question(source)]
    if len(repeated) == len(sources):
        repeated = []
    room = tokens - sum(tokens_of(source.text or "") for source in repeated)
    packing = _Packing(max(room, 1), max(pages, 1), image_tokens)
    for source in sources:
        if source not in repeated:
            packing.add(source)
    return [_with_repeated(pieces, repeated) for pieces in packing.parts()]


def tokens_of(text: str) -> int:
    """Return an estimate, rather too high, of the tokens of a text."""
    return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)


def _is_question(source: Source) -> bool:
    return source.kind == "text" and len(source.text or "") <= SHORT


def _with_repeated(pieces: list[Piece], repeated: list[Source]) -> Part:
    whole = [Piece(source.index, 0, len(source.text or "")) for source in repeated]
    return Part(tuple(sorted([*pieces, *whole], key=lambda piece: piece.source)))


class _Packing:
    """Packs sources into parts, one after the other."""

    def __init__(self, tokens: int, pages: int, image_tokens: int) -> None:
        self._most_tokens, self._most_pages = tokens, pages
        self._image_tokens = image_tokens
        self._parts: list[list[Piece]] = [[]]
        self._tokens, self._pages = tokens, pages  # what the last part has room for

    def parts(self) -> list[list[Piece]]:
        """Return the pieces of each part."""
        return [part for part in self._parts if part] or [[]]

    def add(self, source: Source) -> None:
        """Put a source into the last part, and into further ones."""
        if source.kind == "pdf":
            self._add_pages(source)
        elif source.text is not None:
            self._add_text(source)
        else:
            self._put(Piece(source.index), self._image_tokens if source.kind == "image" else URL_TOKENS, 1)

    def _put(self, piece: Piece, tokens: int, pages: int = 0) -> None:
        if tokens > self._tokens or pages > self._pages:
            self._begin()
        self._parts[-1].append(piece)
        self._tokens -= tokens
        self._pages -= pages

    def _begin(self) -> None:
        """Begin another part, unless the last one is empty."""
        if self._parts[-1]:
            self._parts.append([])
            self._tokens, self._pages = self._most_tokens, self._most_pages

    def _add_text(self, source: Source) -> None:
        text = source.text or ""
        whole = tokens_of(text)
        if whole <= self._most_tokens:
            self._put(Piece(source.index, 0, len(text)), whole)
            return
        if self._tokens < self._most_tokens // 4:
            self._begin()
        start = end = 0
        while end < len(text):
            before, end = end, _cut(text, start, max(end, start) + 1, self._tokens)
            self._put(Piece(source.index, start, end, overlap=before - start), tokens_of(text[start:end]))
            start = _overlap(text, start, end)
            if end < len(text):
                self._begin()

    def _add_pages(self, source: Source) -> None:
        costs = [tokens_of(text) + self._image_tokens for text in _pages_of(source)]
        first = overlap = 0
        while first + overlap < len(costs):
            if self._last_page(costs, first) < first + overlap:
                self._begin()
            last = max(self._last_page(costs, first), first + overlap)
            self._put(_of_pages(source, first, last, overlap), sum(costs[first : last + 1]), last + 1 - first)
            together = sum(costs[last : last + 2])  # a repeated page and the one after it
            overlap = int(last > first and self._most_pages > 1 and together <= self._most_tokens)
            first = last + 1 - overlap

    def _last_page(self, costs: list[int], first: int) -> int:
        """Return the last page from `first` on for which the last part has room; `first - 1` if there is none."""
        room = accumulate(costs[first : first + self._pages])
        return first - 1 + sum(tokens <= self._tokens for tokens in room)


def _pages_of(source: Source) -> Iterator[str]:
    """Yield the text of each page."""
    text = source.text or ""
    for start, end in zip(source.pages, (*source.pages[1:], len(text)), strict=True):
        yield text[start:end]


def _of_pages(source: Source, first: int, last: int, overlap: int) -> Piece:
    """Return a piece of pages, which are counted from 0 here."""
    starts = (*source.pages, len(source.text or ""))
    repeated = starts[first + overlap] - starts[first]
    return Piece(source.index, starts[first], starts[last + 1], first + 1, last + 1, repeated)


def _cut(text: str, start: int, least: int, tokens: int) -> int:
    """Return the end of a piece of text from `start` on with a maximal number of tokens.

    The end is `least` or later, preferably after a paragraph, a line or a word in the second half.
    """
    low, high = start, min(len(text), start + int(tokens * BYTES_PER_TOKEN))
    while low < high:  # the largest end that fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens_of(text[start:middle]) <= tokens else (low, middle - 1)
    if low >= len(text):
        return len(text)
    for mark in ("\n\n", "\f", "\n", " "):
        found = text.rfind(mark, max(least, (start + low) // 2), low)
        if found >= 0:
            return found + len(mark)
    return max(low, least)


def _overlap(text: str, start: int, end: int) -> int:
    """Return the start of the next piece: before the end of this one, after a line or a word if possible."""
    earliest = end - (end - start) // OVERLAP
    for mark in ("\n", " "):
        found = text.find(mark, earliest, end - 1)
        if found >= 0:
            return found + 1
    return earliest
