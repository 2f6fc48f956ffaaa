"""The stored text of an extraction's sources, to which the offsets of evidence refer."""

from __future__ import annotations

from collections.abc import Sequence

from extraction.documents.sources import Source
from extraction.models import Extraction, SourceText


def stored(extraction: Extraction) -> list[Source] | None:
    """Return the stored sources of an extraction; None if there are none."""
    rows = list(extraction.source_texts.all())
    return [Source(row.index, row.kind, row.text, tuple(row.pages), row.title) for row in rows] or None  # type: ignore[arg-type]


def store(extraction: Extraction, sources: Sequence[Source]) -> None:
    """Store the sources of an extraction, unless they exist."""
    SourceText.objects.bulk_create(
        [
            SourceText(
                extraction=extraction,
                index=source.index,
                kind=source.kind,
                text=source.text,
                pages=list(source.pages),
                title=source.title,
            )
            for source in sources
        ],
        ignore_conflicts=True,
    )
