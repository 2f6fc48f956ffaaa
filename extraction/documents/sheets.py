"""Converting spreadsheets (`.xlsx`) to text: each sheet's name, and its rows as lines (openpyxl)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import openpyxl

from extraction.documents import archives
from extraction.documents.broken import refuse_if_broken
from extraction.documents.text import Text, check_length, row, unpaged

if TYPE_CHECKING:
    from openpyxl import Workbook


def read(data: bytes) -> Text:
    """Return the text of a workbook, with formulas' last results.

    Raises UnsupportedMediaType where it is broken, encrypted, empty or too long.
    """
    archives.check(data)
    with (
        refuse_if_broken("spreadsheet", "Excel (.xlsx)"),
        closing(openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)) as book,
    ):
        return unpaged("\n".join(_lines(book)).strip("\n"))


def _lines(book: Workbook) -> Iterator[str]:
    """Yield the lines of all sheets. Raise UnsupportedMediaType as soon as they are too many."""
    length = 0
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # the declared size of a sheet may be wrong
        yield f"Sheet: {sheet.title}"
        for cells in sheet.iter_rows(values_only=True):
            line = row(map(_shown, cells))
            if line:
                length += len(line) + 1
                check_length(length)
                yield line
        yield ""


def _shown(value: object) -> str:
    """Return a cell's value as text; numbers with the 15 digits that spreadsheets display."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return format(value, ".15g")
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return str(value) if not isinstance(value, timedelta) else f"{value.total_seconds() / 3600:.15g} h"
