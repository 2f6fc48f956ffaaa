"""Flattening data into the cells of a table: one row per item, a column for each path.

A column is named by the keys that lead to its value, joined by dots (`vendor.name`); a dot within a key is preceded by
a backslash. A list of objects is a table of its own; other lists are one cell of JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from conversations.exact_json import dumps
from conversations.json_types import JSON, JSONObject
from conversations.tables import Cells
from extraction.results.result import Result

ITEM = ("key", "status", "error", "review", "cost")
"""The columns of each item besides its data."""
MOST = 10_000
"""The maximal number of columns of a table (Excel's is 16,384); the values of further paths share one column."""
OTHERS = "(others)"
WHOLE = "data"
"""The column for data that is not an object."""


def flattened(data: JSON) -> JSONObject:
    """Return the values of data by their columns; a list of objects is one value."""
    return dict(_leaves(data, "")) if isinstance(data, Mapping) else {WHOLE: data}


def _leaves(data: Mapping[str, JSON], before: str) -> Iterator[tuple[str, JSON]]:
    for key, value in data.items():
        name = before + key.replace("\\", "\\\\").replace(".", "\\.")
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{name}.")
        else:
            yield name, value


def is_table(value: JSON) -> bool:
    """Return whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def cell(value: JSON) -> JSON:
    """Return a value as one cell: lists and empty objects as JSON."""
    return dumps(value, ascii=False) if isinstance(value, list | Mapping) else value


@dataclass
class Columns:
    """The columns of a table, in the order of their first occurrence."""

    names: dict[str, None] = field(default_factory=dict)

    def add(self, names: Iterable[str]) -> None:
        """Add the columns of another row."""
        for name in names:
            if name not in self.names:
                self.names[name if len(self.names) < MOST else OTHERS] = None

    def row(self, values: Mapping[str, JSON]) -> Cells:
        """Return the cells of a row; values without a column share one as JSON."""
        rest = {name: value for name, value in values.items() if name not in self.names}
        return [cell(rest if name == OTHERS and rest else values.get(name)) for name in self.names]


@dataclass
class Layout:
    """The tables of results: one of the items, and one for each list of objects in their data.

    All results have to be added before the first row is written, since any may have a path that no other has.
    """

    items: Columns = field(default_factory=Columns)
    lists: dict[str, Columns] = field(default_factory=dict)
    """The tables of lists, by the columns that contain the lists."""

    def add(self, data: JSON) -> None:
        """Add the data of another result."""
        if data is None:
            return
        values = flattened(data)
        self.items.add(values)
        for name, value in values.items():
            if isinstance(value, list) and is_table(value):
                table = self.lists.setdefault(name, Columns())
                for each in value:
                    table.add(flattened(each))

    @property
    def header(self) -> Cells:
        """The header of the table of items; a path that equals one of our columns is prefixed with `data.`."""
        return [*ITEM, *(f"data.{name}" if name in ITEM else name for name in self.items.names)]

    def row(self, result: Result, *, lists: bool = True) -> Cells:
        """Return an item's row; without `lists`, lists of objects are left to their own tables."""
        values = {} if result.data is None else flattened(result.data)
        if not lists:
            values = {name: None if is_table(value) else value for name, value in values.items()}
        decision = result.review["decision"] if result.review else None
        return [result.key, result.status, result.complaint, decision, result.cost, *self.items.row(values)]

    def list_header(self, name: str) -> Cells:
        """Return the header of a list's table: the item's key, the index from 1, and the columns."""
        return [
            "key",
            "number",
            *(f"data.{each}" if each in ("key", "number") else each for each in self.lists[name].names),
        ]

    def list_rows(self, name: str, result: Result) -> list[Cells]:
        """Return the rows of a list's table for one item."""
        value = None if result.data is None else flattened(result.data).get(name)
        objects = enumerate(value, 1) if isinstance(value, list) and is_table(value) else ()
        return [[result.key, number, *self.lists[name].row(flattened(each))] for number, each in objects]
