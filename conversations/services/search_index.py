"""The index of the search: documents are made of titles and messages right after these were written.

Triggers note in the transaction that writes a text that it is to be indexed (migration 0012). Every process takes what
is noted, again and again, and whoever searches first takes what is noted of theirs. What was not committed when a
process died is still noted.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

import psycopg
from django.db import connection, transaction

from conversations.content.search_text import folded, index_terms, marked
from conversations.database import prepared

AT_ONCE = 50  # documents in one transaction
BEFORE_A_SEARCH = 200  # documents at most that a search makes itself
TEXT_LIMIT = 1_000_000  # characters of a message that are indexed
TERMS_LIMIT = 900_000  # bytes of the terms of a document; Postgres' limit is 1 MB

ANY = "SELECT EXISTS (SELECT FROM conversations_unindexed)"
ANY_OF = "SELECT EXISTS (SELECT FROM conversations_unindexed WHERE owner_id = ANY(%(owners)s))"

TAKE = """
DELETE FROM conversations_unindexed WHERE id IN (
    SELECT id FROM conversations_unindexed {which} ORDER BY id DESC LIMIT %(limit)s FOR UPDATE {waiting}
) RETURNING owner_id, conversation_id, message_id
"""
TAKE_ANY = TAKE.format(which="", waiting="SKIP LOCKED")
TAKE_OF = TAKE.format(which="WHERE owner_id = ANY(%(owners)s)", waiting="")

# The locks let nobody delete meanwhile what a document will refer to. What is being deleted then is waited for.
MESSAGES = """
SELECT conversation.id, message.id, left(message.text, %(limit)s) FROM conversations_message AS message
JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
WHERE message.id = ANY(%(ids)s) FOR KEY SHARE OF conversation, message
"""
TITLES = """
SELECT id, NULL::uuid, title FROM conversations_conversation WHERE id = ANY(%(ids)s) FOR KEY SHARE
"""

STORE = """
INSERT INTO conversations_searchdocument (conversation_id, message_id, terms, text)
SELECT %(conversation)s, %(message)s, array_to_tsvector(%(terms)s::text[]), %(text)s {condition}
DO UPDATE SET terms = excluded.terms, text = excluded.text
"""
STORE_MESSAGE = STORE.format(condition="ON CONFLICT (message_id)")
# A title that has changed since it was read is noted again.
STORE_TITLE = STORE.format(
    condition="FROM conversations_conversation WHERE id = %(conversation)s AND title = %(original)s "
    "ON CONFLICT (conversation_id) WHERE message_id IS NULL"
)


class Noted(NamedTuple):
    """A title or, where it names one, a message that is to be indexed."""

    owner: uuid.UUID
    conversation: uuid.UUID
    message: uuid.UUID | None


def index_some() -> bool:
    """Make some of the documents that are to be made; return whether there may be more. Not within a transaction."""
    [[any_noted]] = prepared(ANY, {})
    return any_noted and _index(TAKE_ANY, {"limit": AT_ONCE}) == AT_ONCE


def index_before_search(owners: Sequence[uuid.UUID]) -> None:
    """Make the newest documents that are to be made of these owners' texts: what is there when this begins is found."""
    [[any_noted]] = prepared(ANY_OF, {"owners": owners})
    if any_noted:
        _index(TAKE_OF, {"owners": owners, "limit": BEFORE_A_SEARCH})


def owner_key(owner: uuid.UUID) -> str:
    """Return what all terms of an owner's documents begin with: for everybody, the index is one of their own.

    It is short, since it comes with each term. Where two owners have the same, the other conditions of a search tell
    them apart.
    """
    return base64.b64encode(owner.bytes[-3:]).decode()


def document_terms(owner: uuid.UUID, text: str) -> list[str]:
    """Return the terms of a folded text in the index, as many as there is room for; the first is the owner's key."""
    key = owner_key(owner)
    terms = [key, *(key + term for term in index_terms(text))]
    ends = accumulate(len(term.encode()) for term in terms)
    return [term for term, end in zip(terms, ends, strict=True) if end <= TERMS_LIMIT]


def _index(take: str, parameters: dict[str, object]) -> int:
    """Make the documents of what is taken; return how many were noted."""
    with transaction.atomic():
        noted = [Noted(*row) for row in prepared(take, parameters)]
        messages = {each.message: each.owner for each in noted if each.message}
        titles = {each.conversation: each.owner for each in noted if each.message is None}
        if messages:
            found = prepared(MESSAGES, {"ids": list(messages), "limit": TEXT_LIMIT})
            _store(STORE_MESSAGE, [document(messages[message], *row) for row in found if (message := row[1])])
        if titles:
            found = prepared(TITLES, {"ids": list(titles)})
            _store(STORE_TITLE, [document(titles[row[0]], *row) for row in found])
    return len(noted)


def document(owner: uuid.UUID, conversation: uuid.UUID, message: uuid.UUID | None, original: str) -> dict[str, object]:
    """Return the document of a text, as it is stored."""
    text = folded(original)
    return {
        "conversation": conversation,
        "message": message,
        "original": original,
        "terms": document_terms(owner, text),
        "text": marked(text),
    }


def _store(statement: str, documents: Iterable[dict[str, object]]) -> None:
    with connection.wrap_database_errors:
        psycopg.Cursor(connection.connection).executemany(statement, documents)
