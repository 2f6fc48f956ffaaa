"""A child process that reads users' files and searches quotes in their text, like extraction/check_process.py."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from extraction.check_process import main
from extraction.documents import formats
from extraction.documents.sources import Source
from extraction.documents.splitting import Part, Piece
from extraction.evidence.finding import Claim, located

Asked = dict[str, Any]
"""A dataclass as `asdict` returns it, received over the pipe."""


def _read(path: str, media_type: str) -> dict[str, object]:
    return asdict(formats.read(Path(path).read_bytes(), media_type))


def _cut(path: str, first: int, last: int) -> None:
    """Reduce a PDF to some of its pages."""
    from extraction.documents import pdf

    Path(path).write_bytes(pdf.cut(Path(path).read_bytes(), first, last))


def _draw(path: str, number: int, quotes: list[tuple[str, int]]) -> None:
    """Replace a PDF by a drawing of one of its pages."""
    from extraction.documents import pdf

    Path(path).write_bytes(pdf.draw(Path(path).read_bytes(), number, quotes))


def _places(path: str, number: int, quotes: list[tuple[str, int]]) -> dict[str, object]:
    from extraction.documents import pdf

    return asdict(pdf.places(Path(path).read_bytes(), number, quotes))


def _located(path: str, claims: list[Asked], pieces: list[Asked] | None) -> list[dict[str, object]]:
    sources = [Source(**{**each, "pages": tuple(each["pages"])}) for each in json.loads(Path(path).read_text())]
    part = None if pieces is None else Part(tuple(Piece(**each) for each in pieces))
    return [asdict(each) for each in located(sources, [Claim(**each) for each in claims], part)]


TASKS: Mapping[str, Callable[..., Any]] = {
    "read": _read,
    "cut": _cut,
    "draw": _draw,
    "places": _places,
    "located": _located,
}

if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), TASKS)
