"""Pages of PDFs are drawn for reviewers with the quotes highlighted."""

from __future__ import annotations

import io
from contextlib import closing

import pypdfium2
import pytest
from PIL import Image, ImageChops

from conversations.contract.extraction_types import Evidence
from conversations.errors import UnsupportedMediaType
from extraction.documents import pdf
from extraction.documents.sources import Source
from extraction.evidence.on_pages import quotes_on_page
from tests.conftest import SHARED
from tests.processes import ROOT

TEA = ROOT / "extraction" / "samples" / "tea.pdf"
INVOICES = sorted((SHARED / "documents" / "invoices").glob("*.pdf"))


@pytest.mark.skipif(not INVOICES, reason="the sample invoices are not here")
def test_a_quote_is_marked_where_it_stands() -> None:
    data = INVOICES[0].read_bytes()
    word = next(word for word in pdf.read(data).text.split() if len(word) > 5)
    plain, marked = (Image.open(io.BytesIO(pdf.draw(data, 1, quotes))) for quotes in ([], [(word, 0)]))
    assert plain.size == marked.size
    box = ImageChops.difference(plain, marked).getbbox()
    assert box is not None
    assert 0 < (box[2] - box[0]) * (box[3] - box[1]) < plain.width * plain.height / 20
    with pytest.raises(UnsupportedMediaType, match="no page 99"):
        pdf.draw(data, 99, [])


def test_a_quote_that_stands_several_times_is_marked_where_its_value_is_from() -> None:
    data = TEA.read_bytes()
    read = pdf.read(data)
    source = Source(0, "pdf", read.text, tuple(read.pages))
    tops = []
    for start in (read.text.index("2 Leaf Street"), read.text.index("2 4.00 8.00")):
        place: Evidence = {"path": "/a", "quote": "2", "start": start, "end": start + 1, "source": 0, "status": "exact"}
        quotes = quotes_on_page(source, 1, [place])
        plain, marked = (Image.open(io.BytesIO(pdf.draw(data, 1, each))) for each in ([], quotes))
        box = ImageChops.difference(plain, marked).getbbox()
        assert box is not None
        tops.append(box[1])
    assert tops[0] + 50 < tops[1]


def test_a_quote_is_found_on_a_page_that_is_turned_and_cropped() -> None:
    with closing(pypdfium2.PdfDocument(TEA)) as document, closing(document[0]) as page:
        page.set_cropbox(30, 400, 500, 830)
        page.set_rotation(90)
        written = io.BytesIO()
        document.save(written)
    data = written.getvalue()
    places = pdf.places(data, 1, [("INV-2026-0042", 0)])
    ((left, top, width, height),) = places.boxes[0]
    assert (places.width, places.height) == (430, 470)
    assert width < height, "the page is turned, and so are its lines"
    picture = Image.open(io.BytesIO(pdf.draw(data, 1, []))).convert("L")
    wide, high = picture.size
    inside = picture.crop((left * wide, top * high, (left + width) * wide, (top + height) * high))
    assert min(inside.tobytes()) < 128, "there is no ink where the quote is said to be"
