"""Reading the text of PDFs in requests."""

from __future__ import annotations

import base64
from functools import lru_cache

MOST_PAGES = 600


@lru_cache(maxsize=16)
def text_of_pdf(data: str) -> str:
    """Return the text of a PDF in base64; empty for one that is unreadable, or has images only."""
    import pypdfium2  # here, since most sandboxes never see a PDF

    try:
        with pypdfium2.PdfDocument(base64.b64decode(data)) as document:
            texts = [
                document[number].get_textpage().get_text_bounded() for number in range(min(len(document), MOST_PAGES))
            ]
    except (ValueError, pypdfium2.PdfiumError):
        return ""
    return "\n".join(texts).replace("\r\n", "\n")
