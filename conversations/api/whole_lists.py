"""Pagination of lists that are computed as a whole for each request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from rest_framework.request import Request

from conversations.api.pagination import Pages, bad_cursor
from conversations.services.list_parts import ListPart


@dataclass(frozen=True)
class Row:
    """A row of such a list."""

    id: ClassVar[str] = ""
    """The position of a row, which identifies it."""
    place: str
    """The name of the list and what the row is ordered by, as JSON."""
    shown: Mapping[str, object]


@dataclass(frozen=True)
class WholeList:
    """A list in the order of its rows' positions, which are distinct."""

    name: str
    """Distinguishes its cursors from those of other lists."""
    rows: Sequence[Row]

    @classmethod
    def of(cls, name: str, rows: Iterable[tuple[Sequence[object], Mapping[str, object]]]) -> Self:
        """Create a list of rows, each with its sort key."""
        return cls(name, [Row(json.dumps([name, *place]), shown) for place, shown in rows])

    def part(self, part: ListPart) -> list[Row]:
        """Return the rows of a part of the list. Raise InvalidRequest for a position in another list."""
        rows = self.rows[::-1] if part.descending else self.rows
        if part.place:
            at = json.loads(part.place[0])
            if at[0] != self.name:
                raise bad_cursor()
            rows = [row for row in rows if _is_past(json.loads(row.place), at, part)]
        return list(rows[: part.limit])


def page_of(whole: WholeList, request: Request) -> dict[str, object]:
    """Return the requested page with its links. Raise InvalidRequest for an invalid cursor."""
    pages = Pages()
    rows = pages.page(whole, "place", request)
    return {"next": pages.next, "previous": pages.previous, "results": [row.shown for row in rows]}


def _is_past(place: list[object], at: list[object], part: ListPart) -> bool:
    if place == at:
        return part.inclusive
    return (place < at) is part.descending
