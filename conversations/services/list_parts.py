"""Parts of lists of conversations: the wanted rows, and their order."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from conversations.contract.wire import Settings
from conversations.services.search import RELEVANCE
from conversations.services.search_walk import Section, in_order

ORDERS = {
    "updated_at": ("conversation.updated_at", "timestamptz"),
    "created_at": ("conversation.created_at", "timestamptz"),
    "title": ("conversation.title", "text"),
    "relevance": (RELEVANCE, "bigint"),
}
"""The columns by which a list can be ordered, with their types; by relevance only for searches."""

TIMES = {"relevance": "updated_at", "updated_at": "updated_at", "created_at": "created_at"}
"""The orders in which what is on one shelf lies close together, each with the time that decides within a rank."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ListedConversation(NamedTuple):
    """A conversation in a list."""

    id: uuid.UUID
    title: str
    settings: Settings
    metadata: dict[str, object]
    tags: list[str]
    archived: bool
    temporary: bool
    active_leaf_id: uuid.UUID | None
    created_at: datetime
    updated_at: datetime
    owner_name: str
    role: str
    """The role of the list's user in the conversation: `owner`, or the role of a share."""
    relevance: int | None = None
    """How well it matches the query; None in a list without a query."""
    document: int | None = None
    """The id of the best matching document."""
    snippet: str | None = None
    """An excerpt with the match (content/snippets.py)."""


@dataclass(frozen=True)
class ListPart:
    """The wanted rows of a list: the first ones after a place, ordered by a column and then by id.

    `place` has the values of the column and of the id, as text; the row at the place is included if `inclusive`.
    """

    column: str
    limit: int
    descending: bool = False
    place: Sequence[str] | None = None
    inclusive: bool = False

    @property
    def ordering(self) -> str:
        """Return the SQL of the order."""
        direction = "DESC" if self.descending else "ASC"
        return f"{ORDERS[self.column][0]} {direction}, conversation.id {direction}"

    def past_place(self) -> tuple[str, dict[str, object]]:
        """Return the SQL condition for the rows after the place, and its parameters."""
        if not self.place:
            return "", {}
        sql, of_type = ORDERS[self.column]
        beyond = ("<" if self.descending else ">") + ("=" if self.inclusive else "")
        value, id = self.place
        condition = f" AND ({sql}, conversation.id) {beyond} (%(value)s::{of_type}, %(id)s::uuid)"
        return condition, {"value": value, "id": id}

    def value_of(self, row: ListedConversation) -> int:
        """Return the relevance or the time by which a row is ordered; a time in microseconds."""
        if self.column == "relevance":
            return row.relevance or 0
        return microseconds(row.updated_at if self.column == "updated_at" else row.created_at)

    @property
    def place_value(self) -> int | None:
        """Return the relevance or the time at the place, as `value_of` does."""
        if not self.place:
            return None
        [value, _] = self.place
        return int(value) if self.column == "relevance" else microseconds(datetime.fromisoformat(value))

    def last_value(self, rows: Iterable[ListedConversation]) -> int:
        """Return the last value, in the order, of these rows."""
        values = map(self.value_of, rows)
        return min(values) if self.descending else max(values)

    def reaches(self, section: Section, value: int) -> bool:
        """Return whether a section may have a row that does not come after all rows with a value."""
        return section.greatest >= value if self.descending else section.least <= value


Look: TypeAlias = Callable[[Sequence[Section], int], list[tuple[int, ListedConversation]]]
"""Returns the first so many rows of a part that sections have, one section after another, each with its section's
number. Those of one section are its first, in the part's order, and not more of them than the part has rows."""


def walk(part: ListPart, sections: Iterable[Section], look: Look) -> list[ListedConversation]:
    """Return the rows of a part of the results, reading as few sections as possible."""
    ahead = in_order(sections, part.place_value, descending=part.descending)
    rows = look(ahead, part.limit) if ahead else []
    found = {each.id: each for _, each in rows}
    if len(rows) == part.limit:
        first, last = rows[0][0], rows[-1][0]
        left = ahead[last + 1 :] if first == last else ahead[last:]  # of that many rows of a section, no other belongs
        last_value = part.last_value(found.values())
        further = [each for each in left if part.reaches(each, last_value)]
        found |= {each.id: each for _, each in look(further, part.limit * len(further))} if further else {}
    ordered = sorted(found.values(), key=lambda each: (part.value_of(each), each.id), reverse=part.descending)
    return ordered[: part.limit]


def microseconds(time: datetime) -> int:
    """Return a time in microseconds since 1970, the unit of RELEVANCE and of the shelves' ranges."""
    return (time - EPOCH) // timedelta(microseconds=1)
