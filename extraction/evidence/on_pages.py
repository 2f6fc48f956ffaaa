"""The quotes of evidence on the pages of a PDF. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from conversations.contract.extraction_types import Evidence
from extraction.documents.sources import Source


def quotes_on_page(source: Source, number: int, evidence: Sequence[Evidence]) -> list[tuple[str, int]]:
    """Return the quotes of evidence on a page, as its text has them, each with its number of earlier occurrences."""
    text, begins = source.text or "", source.pages[number - 1]
    spans = [(each.get("start"), each.get("end")) for each in evidence]
    return [
        (quote, text.count(quote, begins, start))
        for start, end in spans
        if start is not None and end is not None and (quote := text[start:end])
    ]
