"""The search index: documents are created for titles and messages right after these were written.

Triggers record, in the transaction that writes a text, that it is to be indexed (migration 0005). Every process indexes
recorded texts repeatedly, and a search first indexes those of its owners. If a process dies before its commit, the
record is still there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import NamedTuple

from django.db import transaction

from conversations.content.search_text import folded, index_terms, marked
from conversations.database import prepared
from conversations.services.search_shelves import shelf_key, shelf_name, shelve

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

# The locks prevent that rows to which a document will refer are deleted meanwhile, and wait for running deletions.
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
SELECT conversation, message, array_to_tsvector(string_to_array(terms, %(separator)s)), text
FROM unnest(
    %(conversations)s::uuid[], %(messages)s::uuid[], %(originals)s::text[], %(terms)s::text[], %(texts)s::text[]
) AS document(conversation, message, original, terms, text) {condition}
DO UPDATE SET terms = excluded.terms, text = excluded.text
"""
STORE_MESSAGES = STORE.format(condition="ON CONFLICT (message_id)")
# A title that has changed since it was read is recorded again.
STORE_TITLES = STORE.format(
    condition="WHERE EXISTS (SELECT FROM conversations_conversation WHERE id = conversation AND title = original) "
    "ON CONFLICT (conversation_id) WHERE message_id IS NULL"
)
SEPARATOR = "\n"
"""The separator of a document's terms: it occurs in no term."""


class Noted(NamedTuple):
    """A title, or a message, that is to be indexed."""

    owner: uuid.UUID
    conversation: uuid.UUID
    message: uuid.UUID | None


class Text(NamedTuple):
    """The text of a message, or a title."""

    conversation: uuid.UUID
    message: uuid.UUID | None
    text: str


class Document(NamedTuple):
    """The indexed form of a text."""

    conversation: uuid.UUID
    message: uuid.UUID | None
    original: str
    terms: str
    text: str


def index_some() -> bool:
    """Create some of the missing documents; return whether there may be more. Not within a transaction."""
    [[any_noted]] = prepared(ANY, {})
    return any_noted and _index(TAKE_ANY, {"limit": AT_ONCE}) == AT_ONCE


def index_before_search(owners: Sequence[uuid.UUID]) -> None:
    """Create the newest missing documents of these owners, so that the search finds existing texts."""
    [[any_noted]] = prepared(ANY_OF, {"owners": owners})
    if any_noted:
        _index(TAKE_OF, {"owners": owners, "limit": BEFORE_A_SEARCH})


def document_terms(key: str, text: str) -> list[str]:
    """Return the terms of a folded text for the index, up to a limit; the first one is the key itself."""
    terms = [key, *(key + term for term in index_terms(text))]
    ends = accumulate(len(term.encode()) for term in terms)
    return [term for term, end in zip(terms, ends, strict=True) if end <= TERMS_LIMIT]


def _index(take: str, parameters: dict[str, object]) -> int:
    """Create the documents of the taken notes; return the number of notes."""
    with transaction.atomic():
        noted = [Noted(*row) for row in prepared(take, parameters)]
        owners = {each.conversation: each.owner for each in noted}
        messages = list({each.message for each in noted if each.message})
        titles = list({each.conversation for each in noted if each.message is None})
        said = [Text(*row) for row in prepared(MESSAGES, {"ids": messages, "limit": TEXT_LIMIT})] if messages else []
        named = [Text(*row) for row in prepared(TITLES, {"ids": titles})] if titles else []
        shelves = shelve((each.conversation, owners[each.conversation]) for each in [*said, *named])
        for statement, texts in ((STORE_MESSAGES, said), (STORE_TITLES, named)):
            for portion in _portions(texts):
                prepared(statement, document_columns(document(shelves[each.conversation], each) for each in portion))
    return len(noted)


def _portions(texts: Sequence[Text]) -> Iterator[list[Text]]:
    """Yield texts in portions for one statement each: of TEXT_LIMIT characters, and one text more.

    Libpq keeps buffers of the size of the largest statement.
    """
    ends = accumulate(len(each.text) for each in texts)
    for _, portion in groupby(zip(texts, ends, strict=True), lambda each: each[1] // TEXT_LIMIT):
        yield [text for text, _ in portion]


def document(shelf: int, text: Text) -> Document:
    """Return the document of a text on a shelf."""
    plain = folded(text.text)
    terms = document_terms(shelf_key(shelf_name(shelf), title=text.message is None), plain)
    return Document(*text, SEPARATOR.join(terms), marked(plain))


def document_columns(documents: Iterable[Document]) -> dict[str, object]:
    """Return the parameters of STORE for some documents."""
    conversations, messages, originals, terms, texts = map(list, zip(*documents, strict=True))
    return {
        "separator": SEPARATOR,
        "conversations": conversations,
        "messages": messages,
        "originals": originals,
        "terms": terms,
        "texts": texts,
    }
