"""Lists of a user's conversations, by one prepared statement."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from conversations.contract.wire import Settings
from conversations.database import prepared

COLUMN_TYPES = {"updated_at": "timestamptz", "created_at": "timestamptz", "title": "text"}
"""The columns that a list can be ordered by."""

LISTED = """
SELECT id, title, settings::text, metadata::text, tags, archived, active_leaf_id, created_at, updated_at
FROM conversations_conversation WHERE {conditions} ORDER BY {column} {direction}, id {direction} LIMIT %(limit)s
"""


class ListedConversation(NamedTuple):
    """A conversation as a list has it."""

    id: uuid.UUID
    title: str
    settings: Settings
    metadata: dict[str, object]
    tags: list[str]
    archived: bool
    active_leaf_id: uuid.UUID | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class ConversationList:
    """A user's conversations: all of them, or those that are archived or not, have a tag, or values in metadata."""

    owner: uuid.UUID
    archived: bool | None = None
    tag: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Keys of the top level, each with its value as text."""

    def part(
        self, column: str, *, descending: bool, place: Sequence[str] | None, inclusive: bool, limit: int
    ) -> list[ListedConversation]:
        """Return the first of them past a place, ordered by a column and, where that is equal, by their ids.

        `place` has the values of the column and of the id, as text; the row there belongs to it where `inclusive`.
        """
        conditions, values = self._filters()
        values["limit"] = limit
        if place:
            beyond = ("<" if descending else ">") + ("=" if inclusive else "")
            conditions.append(f"({column}, id) {beyond} (%(value)s::{COLUMN_TYPES[column]}, %(id)s::uuid)")
            values["value"], values["id"] = place
        direction = "DESC" if descending else "ASC"
        statement = LISTED.format(conditions=" AND ".join(conditions), column=column, direction=direction)
        return [
            ListedConversation(id, title, json.loads(settings), json.loads(metadata), *rest)
            for id, title, settings, metadata, *rest in prepared(statement, values)
        ]

    def _filters(self) -> tuple[list[str], dict[str, object]]:
        """Return the conditions that the rows meet, and the parameters that these name."""
        conditions = ["owner_id = %(owner)s"]
        values: dict[str, object] = {"owner": self.owner}
        if self.archived is not None:
            conditions.append("archived = %(archived)s")
            values["archived"] = self.archived
        if self.tag is not None:
            conditions.append("tags @> ARRAY[%(tag)s]::varchar[]")
            values["tag"] = self.tag
        for number, (key, value) in enumerate(self.metadata.items()):
            conditions.append(f"metadata ->> %(key{number})s = %(value{number})s")
            values |= {f"key{number}": key, f"value{number}": value}
        return conditions, values
