"""Opening PDFs (pypdfium2). For child processes with limits only: a malicious file can be expensive."""

from __future__ import annotations

import pypdfium2
import pypdfium2.raw as pdfium

from conversations.errors import UnsupportedMediaType

MOST_PAGES = 600  # claude-api.md 6


def open_pdf(data: bytes) -> pypdfium2.PdfDocument:
    """Open the document; the caller must close it.

    Raises UnsupportedMediaType where it is encrypted or broken, has no pages, or more than Claude takes.
    """
    try:
        document = pypdfium2.PdfDocument(data)
        number = len(document)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
            raise UnsupportedMediaType("The PDF is encrypted: it needs a password.") from None
        raise UnsupportedMediaType("The PDF is broken: it can't be opened.") from None
    if pdfium.FPDF_GetSecurityHandlerRevision(document) >= 0:
        document.close()
        raise UnsupportedMediaType("The PDF is encrypted. Save it without restrictions first.")
    if not 0 < number <= MOST_PAGES:
        document.close()
        raise UnsupportedMediaType(f"The PDF has {number} pages; it may have 1 to {MOST_PAGES}.")
    return document
