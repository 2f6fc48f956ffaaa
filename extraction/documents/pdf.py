"""Reading PDFs: the text of pages, drawings of pages, and parts of the document (pypdfium2)."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice

import pypdfium2
import pypdfium2.raw
from PIL import ImageDraw

from conversations.errors import UnsupportedMediaType
from conversations.pdf_opening import open_pdf
from extraction.documents.text import Text, check_length, clean

SCALE = 1.5
"""The number of pixels of a drawn page per point of its size."""
LARGEST_SIDE = 2000  # pixels of a drawn page
MARK = (255, 200, 0, 90)
"""The colour that quotes are marked with: red, green, blue, opacity."""
SHARE_DIGITS = 5  # a hundredth of a pixel of a large screen
BREAK = "\f"
"""The separator of the texts of two pages."""

Sought = tuple[str, int]
"""A quote, and the number of its occurrences on the page before the right one."""
Box = tuple[float, float, float, float]
"""A rectangle on a page: left, top, width and height, as fractions of the page's size."""


@dataclass(frozen=True)
class Places:
    """The places of quotes on a page."""

    width: float
    """The width of the page in points; so is the height."""
    height: float
    boxes: list[list[Box]]
    """For each quote its rectangles, one per line; none if it was not found."""


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
    """Return a PDF with the pages from `first` to `last` of another one, counted from 1."""
    with closing(open_pdf(data)) as document, closing(pypdfium2.PdfDocument.new()) as part:
        part.import_pages(document, list(range(first - 1, last)))
        written = io.BytesIO()
        part.save(written)
        return written.getvalue()


def draw(data: bytes, number: int, quotes: Sequence[Sought]) -> bytes:
    """Return a page of a PDF, counted from 1, as a PNG with quotes highlighted.

    Raises UnsupportedMediaType as `read`, or where there is no such page.
    """
    with _opened(data, number) as (page, text):
        scale = min(SCALE, LARGEST_SIDE / max(*page.get_size(), 1))
        image = page.render(scale=scale).to_pil().convert("RGB")
        marks = ImageDraw.Draw(image, "RGBA")
        for x, y, wide, high in (box for quote, before in quotes for box in _boxes(page, text, quote, before)):
            left, top = x * image.width, y * image.height
            right, bottom = left + wide * image.width, top + high * image.height
            marks.rectangle((left - 2, top - 2, right + 2, bottom + 2), fill=MARK)
        written = io.BytesIO()
        image.save(written, "PNG")
        return written.getvalue()


def places(data: bytes, number: int, quotes: Sequence[Sought]) -> Places:
    """Return the size of a page of a PDF, counted from 1, and the place of each quote on it.

    Raises UnsupportedMediaType as `draw`.
    """
    with _opened(data, number) as (page, text):
        width, height = page.get_size()
        return Places(width, height, [list(_boxes(page, text, quote, before)) for quote, before in quotes])


@contextmanager
def _opened(data: bytes, number: int) -> Iterator[tuple[pypdfium2.PdfPage, pypdfium2.PdfTextPage]]:
    """Open a page of a PDF, counted from 1, and its text. Raise UnsupportedMediaType if there is no such page."""
    with closing(open_pdf(data)) as document:
        if not 1 <= number <= len(document):
            raise UnsupportedMediaType(f"The PDF has no page {number}.")
        with closing(document[number - 1]) as page, closing(page.get_textpage()) as text:
            yield page, text


def _boxes(page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, quote: str, before: int) -> Iterator[Box]:
    """Yield the rectangles of a quote after so many earlier occurrences."""
    with closing(text.search(quote, match_case=True)) as search:
        found = list(islice(iter(search.get_next, None), before + 1))
        for index in range(text.count_rects(*found[-1]) if found else 0):
            left, bottom, right, top = text.get_rect(index)
            (x, y), (to_x, to_y) = _shown_at(page, left, top), _shown_at(page, right, bottom)
            yield min(x, to_x), min(y, to_y), round(abs(to_x - x), SHARE_DIGITS), round(abs(to_y - y), SHARE_DIGITS)


def _shown_at(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[float, float]:
    """Convert a point from the page's own space to the displayed page, which may be rotated and cropped."""
    side = 10**SHARE_DIGITS
    right, down = ctypes.c_int(), ctypes.c_int()
    pypdfium2.raw.FPDF_PageToDevice(page, 0, 0, side, side, 0, x, y, ctypes.byref(right), ctypes.byref(down))
    return right.value / side, down.value / side


def _text_of(document: pypdfium2.PdfDocument, number: int) -> str:
    """Return the text of a page, counted from 0."""
    try:
        with closing(document[number]) as page, closing(page.get_textpage()) as text:
            # Pdfium returns U+FFFE for a hyphen at which a word is divided.
            return clean(text.get_text_bounded().replace("\ufffe", "-"))
    except pypdfium2.PdfiumError:
        raise UnsupportedMediaType(f"The PDF is broken: its page {number + 1} can't be read.") from None
