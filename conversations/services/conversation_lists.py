"""Lists of a user's conversations, and of those that are shared with them, searched or not: one prepared statement."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from conversations.contract.wire import Settings
from conversations.database import prepared
from conversations.models import User
from conversations.models.access import SHARED_WITH
from conversations.services.accounts.shares import OWNER
from conversations.services.search import DOCUMENT, FOUND, RELEVANCE, Search

ORDERS = {
    "updated_at": ("conversation.updated_at", "timestamptz"),
    "created_at": ("conversation.created_at", "timestamptz"),
    "title": ("conversation.title", "text"),
    "relevance": (RELEVANCE, "bigint"),
}
"""What a list can be ordered by, with its type; by relevance only what was searched for."""

COLUMNS = """
conversation.id, conversation.title, settings::text, metadata::text, tags, archived, temporary, active_leaf_id,
conversation.created_at, conversation.updated_at
"""
SEARCHED = f", {RELEVANCE}, {DOCUMENT}"

OWN = f"""
SELECT {COLUMNS}, %(name)s::text, '{OWNER}' {{searched}}
FROM conversations_conversation AS conversation {{join}} WHERE owner_id = %(user)s
"""  # noqa: S608
SHARED = f"""
SELECT {COLUMNS}, owner.username, shared.role {{searched}}
FROM (
    SELECT conversation_id, max(role) AS role FROM ({SHARED_WITH.format(user="%(user)s")}) AS share
    GROUP BY conversation_id
) AS shared
JOIN conversations_conversation AS conversation ON conversation.id = shared.conversation_id
JOIN conversations_user AS owner ON owner.id = conversation.owner_id {{join}}
WHERE owner_id <> %(user)s
"""  # noqa: S608 - a writer comes after a reader in the alphabet too


class ListedConversation(NamedTuple):
    """A conversation as a list has it."""

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
    """What it is to the user whose list it is: `owner`, or the role of a share."""
    relevance: int | None = None
    """How well it matches what was searched for; None in a list that is not searched."""
    document: int | None = None
    """The id of what matches best."""
    snippet: str | None = None
    """Where it was found (content/snippets.py)."""


@dataclass(frozen=True)
class ConversationList:
    """A user's conversations, or others' that are shared with them.

    All of them, or those that are archived or not, have a tag, or values in metadata.
    """

    user: User
    shared: bool = False
    archived: bool | None = None
    tag: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Keys of the top level, each with its value as text."""
    search: Search | None = None

    def part(
        self, column: str, *, descending: bool, place: Sequence[str] | None, inclusive: bool, limit: int
    ) -> list[ListedConversation]:
        """Return the first of them past a place, ordered by a column and, where that is equal, by their ids.

        `place` has the values of the column and of the id, as text; the row there belongs to it where `inclusive`.
        """
        found = prepared(*self.statement(column, descending=descending, place=place, inclusive=inclusive, limit=limit))
        listed = [
            ListedConversation(id, title, json.loads(settings), json.loads(metadata), *rest)
            for id, title, settings, metadata, *rest in found
        ]
        return listed if self.search is None else _with_snippets(listed, self.search)

    def statement(
        self, column: str, *, descending: bool, place: Sequence[str] | None, inclusive: bool, limit: int
    ) -> tuple[str, dict[str, object]]:
        """Return the statement by which `part` finds them, and its parameters."""
        conditions, values = self._filters()
        values["limit"] = limit
        sql, of_type = ORDERS[column]
        ordered = sql, "conversation.id"
        if place:
            beyond = ("<" if descending else ">") + ("=" if inclusive else "")
            conditions.append(f"({', '.join(ordered)}) {beyond} (%(value)s::{of_type}, %(id)s::uuid)")
            values["value"], values["id"] = place
        direction = "DESC" if descending else "ASC"
        filtered = "".join(f" AND {condition}" for condition in conditions)
        ordering = ", ".join(f"{each} {direction}" for each in ordered)
        rows = (SHARED if self.shared else OWN).format(searched="", join="")
        if self.search:
            join = "JOIN found ON found.conversation_id = conversation.id"
            rows = FOUND + (SHARED if self.shared else OWN).format(searched=SEARCHED, join=join)
            values |= self.search.parameters()
        return f"{rows}{filtered} ORDER BY {ordering} LIMIT %(limit)s", values

    def _filters(self) -> tuple[list[str], dict[str, object]]:
        """Return the conditions that the rows meet besides, and the parameters of the whole."""
        conditions: list[str] = []
        values: dict[str, object] = {"user": self.user.pk}
        if not self.shared:
            values["name"] = self.user.username
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


def _with_snippets(listed: list[ListedConversation], search: Search) -> list[ListedConversation]:
    snippets = search.snippets([each.document for each in listed if each.document is not None])
    return [each._replace(snippet=snippets.get(each.document or 0, "")) for each in listed]
