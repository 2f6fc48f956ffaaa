"""Searching a user's conversations, or those shared with them, ranked by where a query matches.

Titles come before messages, and whole words before prefixes; equal results are ordered by the time of the last change.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from conversations.content.search_query import SearchQuery, parsed
from conversations.content.snippets import snippet
from conversations.database import prepared
from conversations.models import User
from conversations.models.access import SHARED_WITH
from conversations.services.search_index import index_before_search
from conversations.services.search_shelves import shelf_key

# The rank is the higher part of `best`, so that the maximum is the newest document among the best matches.
RANK_SHIFT = 56

SHELF = "\x1f"
"""The placeholder of a shelf in the queries of FOUND: it occurs in no term."""

FEW = 32  # documents that are compared with a query one by one

FOUND = f"""
SELECT document.conversation_id, max(rank << %(shift)s | document.id) AS best
FROM unnest(%(queries)s::text[], %(narrow)s::text[], %(ranks)s::bigint[]) AS asked(query, narrow, rank)
CROSS JOIN LATERAL (
    SELECT replace(asked.query, %(shelf)s, section.shelf)::tsquery AS query,
        replace(asked.narrow, %(shelf)s, section.shelf)::tsquery AS narrow
) AS here
CROSS JOIN LATERAL (
    SELECT here.narrow IS NOT NULL AND count(*) <= {FEW} AS holds FROM (
        SELECT FROM conversations_searchdocument WHERE terms @@ here.narrow LIMIT {FEW} + 1
    ) AS narrowly
) AS few
JOIN conversations_searchdocument AS document
    ON document.terms @@ CASE WHEN few.holds THEN here.narrow ELSE here.query END
WHERE rank >= section.least AND (NOT few.holds OR document.terms @@ here.query)
    AND document.text LIKE ALL (CASE rank & 1 WHEN 0 THEN %(patterns)s::text[] ELSE %(exact_patterns)s::text[] END)
GROUP BY document.conversation_id
"""  # noqa: S608 - ours
"""The conversations that are found on the shelf of `section`, by its least rank or a better one, each with its best
match."""

DOCUMENT = "(found.best & ((1::bigint << %(shift)s) - 1))"
IN_MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"
RELEVANCE = f"(((found.best >> %(shift)s) << %(shift)s) + {IN_MICROSECONDS.format('conversation.updated_at')})"
"""The sort key of results: the rank, then the time of the last change, in microseconds."""

OWNERS = f"""
SELECT DISTINCT owner_id FROM conversations_conversation
WHERE id IN (SELECT conversation_id FROM ({SHARED_WITH.format(user="%(user)s")}) AS shared) AND owner_id <> %(user)s
"""  # noqa: S608 - ours

ORIGINALS = """
SELECT document.id, coalesce(message.text, conversation.title)
FROM conversations_searchdocument AS document
JOIN conversations_conversation AS conversation ON conversation.id = document.conversation_id
LEFT JOIN conversations_message AS message ON message.id = document.message_id
WHERE document.id = ANY(%(documents)s)
"""


class Rank(IntEnum):
    """How well a document matches. Odd ranks are those of whole words, on which FOUND depends."""

    BEGINS_IN_MESSAGE = 0
    WHOLE_IN_MESSAGE = 1
    BEGINS_IN_TITLE = 2
    WHOLE_IN_TITLE = 3

    @property
    def is_whole(self) -> bool:
        """Return whether all words match whole words."""
        return self in (Rank.WHOLE_IN_MESSAGE, Rank.WHOLE_IN_TITLE)

    @property
    def in_title(self) -> bool:
        """Return whether a title matches."""
        return self >= Rank.BEGINS_IN_TITLE


@dataclass(frozen=True)
class Search:
    """A query over some owners' documents."""

    query: SearchQuery

    @cached_property
    def ranks(self) -> tuple[Rank, ...]:
        """Return the possible ranks of results, the best first: none for an empty query."""
        if not self.query.terms:
            return ()
        only_whole = self.query.finds_as(self.query.exact)
        return tuple(rank for rank in sorted(Rank, reverse=True) if rank.is_whole or not only_whole)

    def parameters(self) -> dict[str, object]:
        """Return the parameters of FOUND and related statements."""
        exact = self.query.exact
        queries = [exact if rank.is_whole else self.query for rank in self.ranks]
        keys = [shelf_key(SHELF, title=rank.in_title) for rank in self.ranks]
        return {
            "shift": RANK_SHIFT,
            "shelf": SHELF,
            "queries": [query.tsquery(key) for query, key in zip(queries, keys, strict=True)],
            "narrow": [query.narrow_tsquery(key) for query, key in zip(queries, keys, strict=True)],
            "ranks": [int(rank) for rank in self.ranks],
            "patterns": self.query.like_patterns(),
            "exact_patterns": exact.like_patterns(),
        }

    def snippets(self, documents: Sequence[int]) -> dict[int, str]:
        """Return the snippets of documents (content/snippets.py), by their ids."""
        found = prepared(ORIGINALS, {"documents": documents}) if documents else []
        return {id: snippet(text, self.query) for id, text in found}


def begin_search(user: User, words: str, *, shared: bool) -> Search:
    """Return the search for a user's query, after indexing all that it could find."""
    query = parsed(words)
    if query.terms:
        index_before_search(owners_shared_with(user) if shared else [user.pk])
    return Search(query)


def owners_shared_with(user: User) -> list[uuid.UUID]:
    """Return the owners of the conversations that are shared with a user."""
    return [owner for (owner,) in prepared(OWNERS, {"user": user.pk})]
