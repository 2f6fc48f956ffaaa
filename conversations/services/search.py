"""Searching a user's conversations, or those that are shared with them. Results are ranked by where a query is found.

A title comes before what was said, and whole words before beginnings of words; of equals, what changed last is first.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from conversations.content.search_query import SearchQuery, parsed
from conversations.content.snippets import snippet
from conversations.database import prepared
from conversations.models import User
from conversations.models.access import SHARED_WITH
from conversations.services.search_index import index_before_search, owner_key

# The rank is above the id in `best`, so that the greatest is the newest document among those that match best.
RANK_SHIFT = 56

FOUND = """
WITH found AS MATERIALIZED (
    SELECT document.conversation_id,
        max((rank + CASE WHEN message_id IS NULL THEN 2 ELSE 0 END) << %(shift)s | document.id) AS best
    FROM unnest(%(queries)s::text[], %(ranks)s::bigint[]) AS asked(query, rank)
    JOIN conversations_searchdocument AS document ON document.terms @@ asked.query::tsquery
    WHERE document.text LIKE ALL (CASE rank WHEN 0 THEN %(patterns)s::text[] ELSE %(exact_patterns)s::text[] END)
    GROUP BY document.conversation_id
)
"""
"""The conversations that are found, each with its best match: rank 0, or 1 for whole words, and 2 more in a title."""

DOCUMENT = "(found.best & ((1::bigint << %(shift)s) - 1))"
RELEVANCE = """
(((found.best >> %(shift)s) << %(shift)s) + (extract(epoch FROM conversation.updated_at) * 1000000)::bigint)
"""
"""What results are ordered by: the rank, and below it the time of the last change, in microseconds."""

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


@dataclass(frozen=True)
class Search:
    """A query, and the owners of the conversations that it goes through."""

    query: SearchQuery
    owners: Sequence[uuid.UUID]

    def parameters(self) -> dict[str, object]:
        """Return the parameters of FOUND and of what goes with it."""
        exact, keys = self.query.exact, [owner_key(owner) for owner in self.owners]
        ranked = {1: exact, 0: self.query} if self.query != exact else {1: exact}
        queries = [(query.tsquery(key), rank) for rank, query in ranked.items() for key in keys]
        return {
            "shift": RANK_SHIFT,
            "queries": [query for query, _ in queries],
            "ranks": [rank for _, rank in queries],
            "patterns": self.query.like_patterns(),
            "exact_patterns": exact.like_patterns(),
        }

    def snippets(self, documents: Sequence[int]) -> dict[int, str]:
        """Return where documents have what was searched for, as HTML (content/snippets.py), by their ids."""
        found = prepared(ORIGINALS, {"documents": documents}) if documents else []
        return {id: snippet(text, self.query) for id, text in found}


def begin_search(user: User, words: str, *, shared: bool) -> Search:
    """Return the search for words that a user has typed, once all that is there to be found is indexed."""
    owners = [owner for (owner,) in prepared(OWNERS, {"user": user.pk})] if shared else [user.pk]
    query = parsed(words)
    if not query.terms:
        return Search(query, [])
    index_before_search(owners)
    return Search(query, owners)
