"""The files of results, written in parts: a part for each batch of results that the caller has at hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from conversations.tables import Workbook, csv_rows
from extraction.results.columns import Layout
from extraction.results.result import Result, json_line

BOM = "\ufeff".encode()
"""The byte order mark by which Excel recognises UTF-8."""


def json_lines(results: Iterable[Result]) -> bytes:
    """Return results as JSON lines."""
    return b"".join(map(json_line, results))


class Csv:
    """A CSV file: a row an item or, where a list is named, a row for each object of the items' lists of that name."""

    def __init__(self, layout: Layout, list: str | None = None) -> None:
        """Take the layout of all results, and the column of a list of objects (`Layout.lists`)."""
        self._layout = layout
        self._list = list

    def head(self) -> bytes:
        """Return the beginning of the file: its byte order mark, and the header."""
        header = self._layout.header if self._list is None else self._layout.list_header(self._list)
        return BOM + csv_rows([header])

    def rows(self, results: Iterable[Result]) -> bytes:
        """Return the rows of some results. In the rows of items, lists of objects are cells of JSON."""
        if self._list is None:
            return csv_rows(self._layout.row(each) for each in results)
        return csv_rows(row for each in results for row in self._layout.list_rows(self._list, each))


class Xlsx:
    """A workbook: a sheet with a row an item, and a sheet for each list of objects."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        """Take the layout of all results, and a folder to write into."""
        self._layout = layout
        self._book = Workbook(folder)
        self._items = self._book.table("items", layout.header)
        self._lists = {name: self._book.table(name, layout.list_header(name)) for name in layout.lists}

    def write(self, results: Iterable[Result]) -> None:
        """Add some results to the tables."""
        for each in results:
            self._items.write([self._layout.row(each, lists=False)])
            for name, table in self._lists.items():
                table.write(self._layout.list_rows(name, each))

    def close(self) -> Path:
        """Finish the file, and return where it is."""
        return self._book.close()
