"""Pages of PDFs are drawn with the quotes marked, for those who review what was extracted from them."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageChops

from conversations.errors import UnsupportedMediaType
from extraction.documents import pdf
from tests.conftest import SHARED

INVOICES = sorted((SHARED / "documents" / "invoices").glob("*.pdf"))


@pytest.mark.skipif(not INVOICES, reason="the sample invoices are not here")
def test_a_quote_is_marked_where_it_stands() -> None:
    data = INVOICES[0].read_bytes()
    word = next(word for word in pdf.read(data).text.split() if len(word) > 5)
    plain, marked = (Image.open(io.BytesIO(pdf.draw(data, 1, quotes))) for quotes in ([], [word]))
    assert plain.size == marked.size
    box = ImageChops.difference(plain, marked).getbbox()
    assert box is not None
    assert 0 < (box[2] - box[0]) * (box[3] - box[1]) < plain.width * plain.height / 20
    with pytest.raises(UnsupportedMediaType, match="no page 99"):
        pdf.draw(data, 99, [])
