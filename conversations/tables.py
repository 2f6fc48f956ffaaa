"""Writing tables as CSV and as workbooks. No text of users is a formula in them. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
CELL = 32_767
"""Characters that a cell of a workbook can have (Excel's limit)."""
CUT = " … (cut; the CSV and JSON files have the whole)"
SHEET_NAME = 31  # characters (Excel's limit)
SHEET_ROWS = 1_048_576
"""Rows that a sheet can have, its header among them (Excel's limit)."""
NOT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'", "_"))
EXACT = 15
"""Significant digits that a number in a workbook keeps."""
LARGEST = 300
"""The exponent of ten from which on numbers are written with one."""

Cells: TypeAlias = list[object]
Plain: TypeAlias = str | float | bool | None


def csv_rows(rows: Iterable[Cells]) -> bytes:
    """Return rows as CSV in UTF-8, without a byte order mark."""
    text = io.StringIO()
    csv.writer(text).writerows([plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


class Workbook:
    """An XLSX file that is written row by row into a folder, each sheet from top to bottom."""

    def __init__(self, folder: Path, rows: int = SHEET_ROWS) -> None:
        """Take an existing folder; the file and its temporary files are removed with it.

        A table of more than `rows` continues in a further sheet, with its header repeated.
        """
        self._file = folder / "whole.xlsx"
        import xlsxwriter  # which nobody needs who downloads no workbook

        self._book = xlsxwriter.Workbook(self._file, {"constant_memory": True, "tmpdir": str(folder)})
        self._names: set[str] = set()
        self.rows = rows

    def table(self, name: str, header: Cells) -> Table:
        """Return a table with a header, in a sheet of its own."""
        return Table(self, name, header)

    def add_sheet(self, name: str) -> Worksheet:
        """Add an empty sheet; its name is changed to one that Excel accepts and no other sheet has."""
        named = self._free(name.translate(NOT_IN_NAMES) or "Sheet")
        self._names.add(named.lower())
        return self._book.add_worksheet(named)

    def _free(self, name: str) -> str:
        names = [name[:SHEET_NAME], *(f"{name[: SHEET_NAME - 6]} ({number})" for number in range(2, 1000))]
        return next(each for each in names if each.lower() not in self._names)

    def close(self) -> Path:
        """Finish the file, and return its path."""
        self._book.close()
        return self._file


class Table:
    """A table of a workbook, written row by row; it continues in further sheets if it has too many rows."""

    def __init__(self, book: Workbook, name: str, header: Cells) -> None:
        self._book, self._name, self._header = book, name, header
        self._begin_sheet()

    def write(self, rows: Iterable[Cells]) -> None:
        """Add rows: numbers as numbers if these keep their digits, else as text."""
        for row in rows:
            if self._rows == self._book.rows:
                self._begin_sheet()
            self._write_row(row)

    def _begin_sheet(self) -> None:
        self._sheet, self._rows = self._book.add_sheet(self._name), 0
        self._write_row(self._header)

    def _write_row(self, row: Cells) -> None:
        for column, cell in enumerate(row):
            value = cell if isinstance(cell, Decimal) else plain(cell)
            if isinstance(value, bool):
                self._sheet.write_boolean(self._rows, column, value)
            elif _is_exact(value):
                self._sheet.write_number(self._rows, column, value)
            elif value is not None:
                self._sheet.write_string(self._rows, column, _fitting(str(plain(value))))
        self._rows += 1


def _is_exact(value: object) -> TypeGuard[int | float | Decimal]:
    """Return whether a value is a number whose digits a workbook keeps, since numbers are floats there."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        digits = "".join(map(str, Decimal(value).as_tuple().digits))
        return len(digits.strip("0")) <= EXACT and abs(Decimal(value).adjusted()) < LARGEST
    return isinstance(value, float)


def _fitting(text: str) -> str:
    return text if len(text) <= CELL else text[: CELL - len(CUT)] + CUT


def plain(cell: object) -> Plain:
    """Return a cell that a spreadsheet does not interpret: text that begins like a formula gets a quote before it."""
    match cell:
        case None | bool() | int() | float():
            return cell
        case Decimal():
            return decimal_text(cell)
        case timedelta():
            return cell.total_seconds()
        case dict():
            return json.dumps(cell)
        case datetime() | date():
            return cell.isoformat()
    text = str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def decimal_text(number: Decimal) -> str:
    """Return a number with all its digits, without trailing zeros; with an exponent only if it is huge or tiny."""
    text = f"{number:f}" if abs(number.adjusted()) < LARGEST else str(number)
    return text.rstrip("0").rstrip(".") if "." in text and "E" not in text else text
