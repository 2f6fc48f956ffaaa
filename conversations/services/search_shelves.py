"""Shelves: partitions of an owner's search documents in the index, with some thousands each.

Every term in the index begins with the key of a shelf, so that looking up a word on one shelf costs only its matches
there, however often it occurs elsewhere. A conversation is on one shelf with all its messages, and conversations that
were begun in sequence are on the same one.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable

from conversations.database import prepared

SHELF_SIZE = 4096
"""The target number of documents on a shelf. Its conversations can still grow; new ones are put on the next shelf."""

GROWTH = 16
"""The number of documents reserved for each conversation: a shelf has at most SHELF_SIZE / GROWTH conversations."""

# A number is taken from the sequence for each owner whose newest shelf is full, whether or not it is used: there are
# enough. Rows are written in the order of their ids, in which other transactions lock them too.
SHELVE = f"""
WITH asked AS (
    SELECT * FROM unnest(%(conversations)s::uuid[], %(owners)s::uuid[], %(documents)s::int[])
        AS asked(conversation, owner, documents)
), newest AS MATERIALIZED (
    SELECT owner, CASE WHEN has_room THEN shelf ELSE nextval('conversations_search_shelf') END AS shelf
    FROM (SELECT DISTINCT owner FROM asked) AS owners LEFT JOIN LATERAL (
        SELECT shelf, sum(documents) + {GROWTH} * count(*) < {SHELF_SIZE} AS has_room
        FROM conversations_shelvedconversation WHERE owner_id = owner
        GROUP BY shelf ORDER BY shelf DESC LIMIT 1
    ) AS last ON true
)
INSERT INTO conversations_shelvedconversation AS shelved (conversation_id, owner_id, shelf, documents)
SELECT conversation, owner, shelf, documents FROM asked JOIN newest USING (owner) ORDER BY conversation
ON CONFLICT (conversation_id) DO UPDATE SET documents = shelved.documents + excluded.documents
RETURNING conversation_id, shelf
"""  # noqa: S608 - ours


def shelve(documents: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> dict[uuid.UUID, int]:
    """Return the shelf of each conversation to index; new ones are put on their owner's newest shelf.

    `documents` has the conversation and owner of each document. Within the caller's transaction, which holds locks that
    prevent the deletion of the conversations.
    """
    counted = Counter(documents)
    parameters = {
        "conversations": [conversation for conversation, _ in counted],
        "owners": [owner for _, owner in counted],
        "documents": list(counted.values()),
    }
    return dict(prepared(SHELVE, parameters)) if counted else {}


def shelf_name(shelf: int) -> str:
    """Return the number of a shelf in the format of terms' keys."""
    return f"{shelf:x}"


def shelf_key(name: str, *, title: bool) -> str:
    """Return the prefix of all terms of a shelf's titles, or messages. No key is a prefix of another one."""
    return f"{name}{':' if title else '.'}"
