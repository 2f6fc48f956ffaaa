"""Files are read, divided and searched in task processes, whose limits affect the file's owner only."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conversations.content.media import DOCX, PDF, XLSX
from conversations.database import in_database
from conversations.errors import UnsupportedMediaType
from conversations.models import User
from conversations.services.files import attachments
from extraction import reading
from extraction.documents import pdf
from extraction.documents.sources import READ, Source
from extraction.documents.splitting import Part, Piece, split
from extraction.evidence.finding import Claim
from tests import files

PAGES = ("Invoice 7", "Total 19.99", "Thank you")


@pytest.fixture(autouse=True)
async def _close() -> AsyncIterator[None]:
    yield
    await reading.close()


def block(data: bytes, media_type: str, **fields: Any) -> Any:
    """Return a document block with a file's bytes."""
    source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
    return {"type": "document", "source": source, **fields}


async def taken(*blocks: Any) -> tuple[uuid.UUID, list[Any]]:
    """Store blocks as a new user's; return the user's id and the stored blocks."""
    user = await in_database(User.objects.create, username=f"reader-{uuid.uuid4().hex[:12]}")
    return user.pk, await in_database(attachments.store_sources, owner=user, blocks=blocks, documents=READ)


async def test_every_block_has_a_source(database: str, png: bytes) -> None:
    image = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    owner, blocks = await taken(
        {"type": "text", "text": "Which?"},
        block(files.pdf(*PAGES), PDF),
        block(files.word(["Hello"]), DOCX, title="A letter"),
        block("Größe;1".encode("cp1252"), "text/csv"),
        block(b"<p>part of a page</p>", "text/html"),
        {"type": "image", "source": image},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}},
        {"type": "search_result", "source": "x", "title": "Found", "content": [{"type": "text", "text": "b"}]},
    )
    assert await reading.read(owner, blocks) == [
        Source(0, "text", "Which?"),
        Source(1, "pdf", "Invoice 7\fTotal 19.99\fThank you", (0, 10, 22)),
        Source(2, "document", "Hello", title="A letter"),
        Source(3, "document", "Größe;1"),
        Source(4, "document", "part of a page"),
        Source(5, "image", None),
        Source(6, "url", None),
        Source(7, "document", "a"),
        Source(8, "document", "Found\nb", title="Found"),
    ]


async def test_claude_is_shown_pdfs_and_images_as_they_are_and_other_files_as_text(database: str) -> None:
    file = files.pdf(*PAGES)
    owner, blocks = await taken(block(file, PDF), block(files.word(["Hello"]), DOCX, title="A letter"))
    sources = await reading.read(owner, blocks)
    (part,) = split(sources, tokens=100_000, pages=100)
    assert await reading.shown(owner, blocks, sources, part) == [
        block(file, PDF),
        {
            "type": "document",
            "title": "A letter",
            "source": {"type": "text", "media_type": "text/plain", "data": "Hello"},
        },
    ]


async def test_a_part_shows_its_pages_and_its_characters_only(database: str) -> None:
    owner, blocks = await taken(block(files.pdf(*PAGES), PDF), {"type": "text", "text": "one two three"})
    sources = await reading.read(owner, blocks)
    part = Part((Piece(0, 10, 31, 2, 3), Piece(1, 4, 8)))
    shown = await reading.shown(owner, blocks, sources, part)
    assert pdf.read(base64.b64decode(shown[0]["source"]["data"])).text == "Total 19.99\fThank you"
    assert shown[1] == {"type": "text", "text": "two "}


async def test_evidence_is_found_on_its_page(database: str) -> None:
    owner, blocks = await taken(block(files.pdf(*PAGES), PDF))
    sources = await reading.read(owner, blocks)
    claims = [Claim("/total", "19.99"), Claim("/thanks", "THANK YOU"), Claim("/not", "20.00")]
    evidence = await reading.located(owner, sources, claims)
    assert [(each.status, each.start, each.page) for each in evidence] == [
        ("exact", 16, 2),
        ("fuzzy", 22, 3),
        ("not_found", None, None),
    ]


async def test_a_file_that_cannot_be_read_is_refused_with_its_place(database: str) -> None:
    broken = files.archive(word__document_xml=b"<broken")
    owner, blocks = await taken({"type": "text", "text": "x"}, block(broken, DOCX))
    with pytest.raises(UnsupportedMediaType, match=r"content\.1\.source: The document is broken") as refused:
        await reading.read(owner, blocks)
    assert refused.value.details is not None
    assert list(refused.value.details) == ["content.1.source"]


async def test_a_file_that_takes_too_long_is_given_up(database: str, settings: Any) -> None:
    settings.COLLOQUY_DOCUMENT_TIMEOUT = 0.5
    rows = [[number, "tea"] for number in range(20_000)]
    owner, blocks = await taken(block(files.workbook(A=rows), XLSX))
    with pytest.raises(UnsupportedMediaType, match=r"content\.0\.source: .* more than 0\.5 seconds"):
        await reading.read(owner, blocks)
