"""Lists of conversations, a user's own or shared with them, with or without a search, by prepared statements."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from psycopg.rows import TupleRow

from conversations.database import prepared
from conversations.models import User
from conversations.models.access import SHARED_WITH
from conversations.services.accounts.shares import OWNER
from conversations.services.list_parts import TIMES, ListedConversation, ListPart, walk
from conversations.services.search import DOCUMENT, FOUND, IN_MICROSECONDS, RELEVANCE, Search
from conversations.services.search_shelves import shelf_name
from conversations.services.search_walk import (
    Section,
    Shelf,
    sections_by_relevance,
    sections_by_time,
)

COLUMNS = """
conversation.id, conversation.title, settings::text, metadata::text, tags, archived, temporary, active_leaf_id,
conversation.created_at, conversation.updated_at
"""
OWN_COLUMNS = f"{COLUMNS}, %(name)s::text, '{OWNER}'"
SHARED_COLUMNS = f"{COLUMNS}, owner.username, shared.role"
SEARCHED = f", {RELEVANCE}, {DOCUMENT}"

OWN = """
FROM conversations_conversation AS conversation {join} WHERE conversation.owner_id = %(user)s
"""
SHARED = f"""
FROM (
    SELECT conversation_id, max(role) AS role FROM ({SHARED_WITH.format(user="%(user)s")}) AS share
    GROUP BY conversation_id
) AS shared
JOIN conversations_conversation AS conversation ON conversation.id = shared.conversation_id
JOIN conversations_user AS owner ON owner.id = conversation.owner_id {{join}}
WHERE conversation.owner_id <> %(user)s
"""  # noqa: S608 - a writer comes after a reader in the alphabet too

JOIN_FOUND = f"JOIN ({FOUND}) AS found ON found.conversation_id = conversation.id"
JOIN_SHELVED = """
JOIN conversations_shelvedconversation AS shelved
    ON shelved.conversation_id = conversation.id AND shelved.owner_id = conversation.owner_id
"""

# Postgres continues with the next section only if there are not enough rows yet.
IN_SECTIONS = """
SELECT result.* FROM unnest(%(shelves)s::text[], %(least)s::bigint[], %(greatest)s::bigint[])
    WITH ORDINALITY AS section(shelf, least, greatest, number)
CROSS JOIN LATERAL (
    SELECT section.number, {columns} {rows} AND found.best >> %(shift)s <= section.greatest
    ORDER BY {ordering} LIMIT %(limit)s
) AS result {over_all} LIMIT %(all)s
"""


@dataclass(frozen=True)
class ConversationList:
    """A user's own conversations, or those that others share with them.

    The filters are: archived or not, a tag, and values in metadata.
    """

    user: User
    shared: bool = False
    archived: bool | None = None
    tag: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Top-level keys, each with its value as text."""
    search: Search | None = None

    def part(self, part: ListPart) -> list[ListedConversation]:
        """Return the rows of a part of the list."""
        if self.search is None:
            return [_listed(row) for row in prepared(*self.statement(part))]
        return _with_snippets(self._searched(self.search, part), self.search)

    def statement(self, part: ListPart) -> tuple[str, dict[str, object]]:
        """Return the statement for a part of a list without a search, and its parameters."""
        rows = f"SELECT {SHARED_COLUMNS} {SHARED}" if self.shared else f"SELECT {OWN_COLUMNS} {OWN}"
        filters, values = self._filters()
        past_place, place = part.past_place()
        statement = f"{rows.format(join='')}{filters}{past_place} ORDER BY {part.ordering} LIMIT %(limit)s"
        return statement, {**values, **place, "limit": part.limit}

    def _searched(self, search: Search, part: ListPart) -> list[ListedConversation]:
        """Return the rows of a part of the search results."""
        look = partial(self._in_sections, search, part)
        if part.column not in TIMES:
            return [row for _, row in look(sections_by_time(self._shelves("created_at"), search.ranks), part.limit)]
        sections = sections_by_relevance if part.column == "relevance" else sections_by_time
        return walk(part, sections(self._shelves(TIMES[part.column]), search.ranks), look)

    def _shelves(self, time: str) -> list[Shelf]:
        """Return the shelves with conversations of the list, each with the range of their times."""
        filters, values = self._filters()
        rows = (SHARED if self.shared else OWN).format(join=JOIN_SHELVED)
        bounds = ", ".join(IN_MICROSECONDS.format(f"{bound}(conversation.{time})") for bound in ("min", "max"))
        return [Shelf(*row) for row in prepared(f"SELECT shelf, {bounds} {rows}{filters} GROUP BY shelf", values)]

    def _in_sections(
        self, search: Search, part: ListPart, sections: Sequence[Section], limit: int
    ) -> list[tuple[int, ListedConversation]]:
        """Return the first rows of a part in these sections, for `walk`."""
        filters, values = self._filters()
        past_place, place = part.past_place()
        rows = (SHARED if self.shared else OWN).format(join=JOIN_FOUND) + filters + past_place
        columns = (SHARED_COLUMNS if self.shared else OWN_COLUMNS) + SEARCHED
        values |= {
            "shelves": [shelf_name(each.shelf) for each in sections],
            "least": [int(each.ranks[0]) for each in sections],
            "greatest": [int(each.ranks[1]) for each in sections],
            "limit": part.limit,
            "all": limit,
        }
        over_all = "" if part.column in TIMES else "ORDER BY " + part.ordering.replace("conversation.", "result.")
        statement = IN_SECTIONS.format(columns=columns, rows=rows, ordering=part.ordering, over_all=over_all)
        found = prepared(statement, {**values, **place, **search.parameters()})
        return [(row[0] - 1, _listed(row[1:])) for row in found]

    def _filters(self) -> tuple[str, dict[str, object]]:
        """Return the SQL conditions of the filters, and the parameters of the statement."""
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
        return "".join(f" AND {condition}" for condition in conditions), values


def _listed(row: TupleRow) -> ListedConversation:
    id, title, settings, metadata, *rest = row
    return ListedConversation(id, title, json.loads(settings), json.loads(metadata), *rest)


def _with_snippets(listed: list[ListedConversation], search: Search) -> list[ListedConversation]:
    snippets = search.snippets([each.document for each in listed if each.document is not None])
    return [each._replace(snippet=snippets.get(each.document or 0, "")) for each in listed]
