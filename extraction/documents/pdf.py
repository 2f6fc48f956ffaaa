"""PDFs: their text page by page, and some of their pages as a PDF of its own (pypdfium2)."""

from __future__ import annotations

import io
from contextlib import closing

import pypdfium2

from conversations.errors import UnsupportedMediaType
from conversations.pdf_opening import open_pdf
from extraction.documents.text import Text, check_length, clean

BREAK = "\f"
"""What parts the text of two pages."""


def read(data: bytes) -> Text:
    """Return the text of a PDF, empty pages included.

    Raises UnsupportedMediaType where it is encrypted, broken, or has too many pages or too much text.
    """
    with closing(open_pdf(data)) as document:
        pages: list[int] = []
        texts: list[str] = []
        length = 0
        for number in range(len(document)):
            text = _text_of(document, number)
            pages.append(length)
            texts.append(text)
            length += len(text) + len(BREAK)
            check_length(length)
        return Text(BREAK.join(texts), pages)


def cut(data: bytes, first: int, last: int) -> bytes:
    """Return a PDF with the pages from `first` to `last` of another one; the first page is 1."""
    with closing(open_pdf(data)) as document, closing(pypdfium2.PdfDocument.new()) as part:
        part.import_pages(document, list(range(first - 1, last)))
        written = io.BytesIO()
        part.save(written)
        return written.getvalue()


def _text_of(document: pypdfium2.PdfDocument, number: int) -> str:
    """Return the text of a page, counted from 0."""
    try:
        with closing(document[number]) as page, closing(page.get_textpage()) as text:
            # Pdfium has U+FFFE for the hyphen at which a word is divided.
            return clean(text.get_text_bounded().replace("\ufffe", "-"))
    except pypdfium2.PdfiumError:
        raise UnsupportedMediaType(f"The PDF is broken: its page {number + 1} can't be read.") from None
