"""The content of an extraction: its sources' text, and its division into parts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from conversations.claude import catalogue
from conversations.contract.wire import Block
from conversations.database import persistently
from conversations.exact_json import dumps
from extraction import reading
from extraction.documents.sources import Source
from extraction.documents.splitting import IMAGE_TOKENS, Part, split, tokens_of
from extraction.models import Extraction
from extraction.services import source_texts

UNKNOWN_WINDOW = 200_000  # tokens, of models that are not known
LARGE_WINDOW = 1_000_000  # tokens
PAGES, PAGES_SMALL = 600, 100  # in a request, by whether the window is large (claude-api.md 6)
MARGIN = 10_000  # tokens, for instructions, problems, and what the estimates are wrong by
LEAST_ROOM = 10_000  # tokens of content in a request, however long schema and answer are
KEPT = 4  # parts whose blocks are held at once


class Content:
    """The content of an extraction, divided into parts that each fit into a request."""

    def __init__(self, extraction: Extraction, sources: Sequence[Source], parts: Sequence[Part]) -> None:
        self.sources = sources
        self.parts = parts
        self._extraction = extraction
        self._blocks: dict[int, list[Block]] = {}

    @classmethod
    async def of(cls, extraction: Extraction) -> Content:
        """Return the content of an extraction. Raises UnsupportedMediaType for a file that can't be read."""
        sources = await sources_of(extraction)
        window = window_of(extraction.model)
        pages = PAGES if window >= LARGE_WINDOW else PAGES_SMALL
        # In a thread: for a long text it would block the event loop for too long.
        parts = await asyncio.to_thread(split, sources, tokens=_room(extraction, window), pages=pages)
        return cls(extraction, sources, parts)

    async def blocks(self, part: int) -> list[Block]:
        """Return a part as blocks in Claude's form."""
        if part not in self._blocks:
            if len(self._blocks) >= KEPT:
                del self._blocks[next(iter(self._blocks))]
            extraction = self._extraction
            self._blocks[part] = await reading.shown(
                extraction.owner_id, extraction.content, self.sources, self.parts[part]
            )
        return self._blocks[part]

    def tokens(self, part: int) -> int:
        """Return an estimate of the tokens of a part."""
        pieces = [(self.sources[piece.source], piece) for piece in self.parts[part].pieces]
        written = sum(tokens_of((source.text or "")[piece.start : piece.end]) for source, piece in pieces)
        seen = sum(1 + (piece.last or 0) - (piece.first or 0) for source, piece in pieces if source.kind != "text")
        return written + seen * IMAGE_TOKENS


async def sources_of(extraction: Extraction) -> list[Source]:
    """Return the source of each content block, read from its file once. Raise UnsupportedMediaType."""
    stored = await persistently(source_texts.stored, extraction)
    if stored is not None:
        return stored
    sources = await reading.read(extraction.owner_id, extraction.content)
    await persistently(source_texts.store, extraction, sources)
    return sources


def window_of(model: str) -> int:
    """Return the maximal tokens of a request to a model, with its answer."""
    known = catalogue.find(model)
    return known.context_window if known else UNKNOWN_WINDOW


def _room(extraction: Extraction, window: int) -> int:
    """Return the maximal tokens of a request's content: what schema and answer leave of the window."""
    schema = extraction.schema
    told = tokens_of(dumps([schema.json_schema, schema.examples]) + schema.instructions)
    known = catalogue.find(extraction.model)
    answer = extraction.max_tokens or (known.max_output if known else 0)
    return max(window - answer - told - MARGIN, LEAST_ROOM)
