"""Reading documents and verifying evidence in task processes, since files and quotes can be expensive."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TypedDict, cast
from uuid import UUID

from django.conf import settings

from conversations.content.media import PDF, PLAIN
from conversations.contract.wire import Block
from conversations.contract.wire import Source as BlockSource
from conversations.database import persistently
from conversations.errors import UnsupportedMediaType
from conversations.exact_json import dumps
from conversations.running.storage_threads import in_storage
from conversations.services.files import attachments, stored_files
from extraction.documents.sources import Source
from extraction.documents.splitting import Part, Piece
from extraction.evidence.finding import Claim, Evidence
from extraction.processes import GivenUp, Pool, Pools

KEPT_FIELDS: tuple[Literal["title", "context", "citations", "cache_control"], ...] = (
    "title",
    "context",
    "citations",
    "cache_control",
)
"""The fields of a document besides its text that are sent to Claude."""

POOLS = Pools(
    lambda: Pool(
        "extraction.document_process",
        most=settings.COLLOQUY_DOCUMENT_PROCESSES,
        seconds=settings.COLLOQUY_DOCUMENT_TIMEOUT,
        megabytes=settings.COLLOQUY_DOCUMENT_MEMORY,
    )
)
close = POOLS.close


class PlacesFound(TypedDict):
    """The fields of `Places` (extraction/documents/pdf.py), as a task process returns them."""

    width: float
    height: float
    boxes: list[list[list[float]]]


async def read(owner: UUID, blocks: Sequence[Block]) -> list[Source]:
    """Return the source of each content block, in order. The blocks come from `attachments.store_sources`.

    Raises UnsupportedMediaType for a file that is encrypted, broken, too long or of another kind than those that are
    read, with the block's place and the reason.
    """
    found = await persistently(attachments.with_paths, blocks)
    return [
        await _read_file(owner, index, block, stored["source"]["path"])
        if block["type"] == "document" and block["source"]["type"] == "attachment"
        else _source_of(index, block)
        for index, (block, stored) in enumerate(zip(blocks, found, strict=True))
    ]


async def shown(owner: UUID, blocks: Sequence[Block], sources: Sequence[Source], part: Part) -> list[Block]:
    """Return a part of the content as blocks in Claude's form, with the files' bytes."""
    pieces = [(sources[piece.source], piece) for piece in part.pieces]
    asked = [_shown(blocks[source.index], source, piece) for source, piece in pieces]
    filled = await in_storage(attachments.with_bytes, await persistently(attachments.with_paths, asked))
    return [
        await _cut(owner, block, piece) if _is_cut(source, piece) else block
        for block, (source, piece) in zip(filled, pieces, strict=True)
        if block["type"] != "text" or block["text"].strip()
    ]


async def located(
    owner: UUID, sources: Sequence[Source], claims: Sequence[Claim], part: Part | None = None
) -> list[Evidence]:
    """Return the evidence for each claim (extraction/evidence/finding.py), found in a task process.

    If that takes too long, nothing is found.
    """
    pieces = None if part is None else [asdict(piece) for piece in part.pieces]
    sought = [asdict(claim) for claim in claims]
    try:
        async with _file(lambda: json.dumps([asdict(source) for source in sources]).encode()) as path:
            found = await _result(owner, "located", path=path, claims=sought, pieces=pieces)
    except GivenUp:
        return [Evidence(claim.path, claim.quote, claim.source or 0, "not_found") for claim in claims]
    return [Evidence(**each) for each in found]


async def drawn(owner: UUID, path: str, number: int, quotes: Sequence[tuple[str, int]]) -> bytes:
    """Return a page of a PDF in the storage as a PNG with quotes highlighted (extraction/documents/pdf.py).

    Raises UnsupportedMediaType where the PDF can't be read, has no such page, or takes too long to draw.
    """
    async with _page_task(owner, "draw", path, number, quotes) as (copy, _):
        return await in_storage(Path(copy).read_bytes)


async def places(owner: UUID, path: str, number: int, quotes: Sequence[tuple[str, int]]) -> PlacesFound:
    """Return the places of quotes on a page of a PDF in the storage (extraction/documents/pdf.py).

    Raises UnsupportedMediaType as `drawn`.
    """
    async with _page_task(owner, "places", path, number, quotes) as (_, found):
        return cast(PlacesFound, found)


@asynccontextmanager
async def _page_task(
    owner: UUID, task: str, path: str, number: int, quotes: Sequence[tuple[str, int]]
) -> AsyncIterator[tuple[str, object]]:
    """Run a task on a copy of a PDF in the storage; yield the copy's path, and the task's result."""
    try:
        async with _file(lambda: stored_files.read(path)) as copy:
            yield copy, await _result(owner, task, path=copy, number=number, quotes=list(quotes))
    except GivenUp as error:
        raise UnsupportedMediaType(str(error)) from None


async def _read_file(owner: UUID, index: int, block: Block, path: str) -> Source:
    """Return the source of a document that is a file in the storage."""
    media_type = block["source"]["media_type"]
    try:
        async with _file(lambda: stored_files.read(path)) as copy:
            text = await _result(owner, "read", path=copy, media_type=media_type)
    except (GivenUp, UnsupportedMediaType) as error:
        place = f"content.{index}.source"
        raise UnsupportedMediaType(f"{place}: {error}", details={place: str(error)}) from None
    return Source(
        index, "pdf" if media_type == PDF else "document", text["text"], tuple(text["pages"]), block.get("title")
    )


def _source_of(index: int, block: Block) -> Source:
    """Return the source of a block without a file of ours."""
    title = block.get("title")
    match block["type"]:
        case "text":
            return Source(index, "text", block["text"])
        case "image":
            return Source(index, "image", None)
        case "search_result":
            return Source(index, "document", "\n".join([title or "", *_texts(block["content"])]), title=title)
    source = block.get("source")
    if source and source["type"] == "text":
        return Source(index, "document", source["data"], title=title)
    if source and source["type"] == "content":
        return Source(index, "document", "\n".join(_texts(source["content"])) or None, title=title)
    return Source(index, "url", None, title=title)


def _texts(parts: str | list[Block]) -> list[str]:
    return [parts] if isinstance(parts, str) else [each["text"] for each in parts if each["type"] == "text"]


def _shown(block: Block, source: Source, piece: Piece) -> Block:
    """Return a block in the form of a user's content: attachments are yet to be inserted."""
    if source.text is None or source.kind == "pdf":
        return block
    text = source.text[piece.start : piece.end]
    if block["type"] == "text":
        return {**block, "text": text}
    whole = len(text) == len(source.text)
    if whole and not (block["type"] == "document" and block["source"]["type"] == "attachment"):
        return block
    if not text.strip():
        return {"type": "text", "text": text}
    source_shown: BlockSource = {"type": "text", "media_type": PLAIN, "data": text}
    document: Block = {"type": "document", "source": source_shown}
    for name in KEPT_FIELDS:
        if block.get(name):
            document[name] = block[name]
    return document


def _is_cut(source: Source, piece: Piece) -> bool:
    return source.kind == "pdf" and (piece.first, piece.last) != (1, len(source.pages))


async def _cut(owner: UUID, block: Block, piece: Piece) -> Block:
    """Return a block of a PDF with the pages of a piece only."""
    data = block["source"]["data"]
    async with _file(lambda: base64.b64decode(data)) as path:
        await _result(owner, "cut", path=path, first=piece.first, last=piece.last)
        pages = await in_storage(_encoded, path)
    return {**block, "source": {**block["source"], "data": pages}}


def _encoded(path: str) -> str:
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode("ascii")


@asynccontextmanager
async def _file(contents: Callable[[], bytes]) -> AsyncIterator[str]:
    """Write a function's result to a temporary file, in a thread, and yield its path."""
    path = await in_storage(_written, contents)
    try:
        yield path
    finally:
        await in_storage(os.unlink, path)


def _written(contents: Callable[[], bytes]) -> str:
    data = contents()
    with tempfile.NamedTemporaryFile(prefix="colloquy-", delete=False) as file:
        file.write(data)
    return file.name


async def _result(owner: UUID, task: str, **arguments: object) -> Any:
    """Return the result of a task. Raise UnsupportedMediaType, or GivenUp beyond its limits."""
    told = await POOLS.here().reply_to(owner, dumps({"task": task, "arguments": arguments}))
    reply = await asyncio.to_thread(json.loads, told)  # it has the whole text of a file
    if "refused" in reply:
        raise UnsupportedMediaType(reply["refused"]["message"])
    return reply["result"]
