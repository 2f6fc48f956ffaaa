"""Reading paths in the tree of a conversation's messages."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NamedTuple

from django.db.models.expressions import RawSQL

from conversations.contract.wire import Block
from conversations.database import prepared
from conversations.errors import NotFound
from conversations.models import Conversation, Message, Right, User
from conversations.models.access import open_condition

# Upwards along `parent`, so that the cost depends on the path's length and not on the conversation's size.
PATH = """
WITH RECURSIVE path AS (
    SELECT id, parent_id, 0 AS depth FROM conversations_message WHERE id = %s AND conversation_id = %s
    UNION ALL
    SELECT message.id, message.parent_id, path.depth + 1
    FROM conversations_message AS message JOIN path ON message.id = path.parent_id
)
SELECT message.*, turn.settings AS turn_settings
FROM conversations_message AS message JOIN path USING (id)
LEFT JOIN conversations_turn AS turn ON turn.id = message.turn_id
ORDER BY path.depth DESC
"""


def no_such_message(field: str, id: object) -> NotFound:
    """Return the error for a field of a request with an unknown message."""
    complaint = f"This conversation has no message with the id {id}."
    return NotFound(f"{field}: {complaint}", details={field: complaint})


def path_to(conversation_id: uuid.UUID, leaf_id: uuid.UUID | None) -> list[Message]:
    """Return the messages from the root to a leaf, oldest first, each with the settings of its turn."""
    return list(Message.objects.raw(PATH, [leaf_id, conversation_id])) if leaf_id else []


def turns_on_path(conversation_id: uuid.UUID, leaf_id: uuid.UUID | None) -> RawSQL:
    """Return the turns of the messages on the path to a leaf, as a subquery."""
    # Like PATH, but with keys only, without contents.
    return RawSQL(
        """
        WITH RECURSIVE path AS (
            SELECT parent_id, turn_id FROM conversations_message WHERE id = %s AND conversation_id = %s
            UNION ALL
            SELECT message.parent_id, message.turn_id
            FROM conversations_message AS message JOIN path ON message.id = path.parent_id
        )
        SELECT turn_id FROM path
        """,
        (leaf_id, conversation_id),
    )


class PathMessage(NamedTuple):
    """A message of a page, and its number of siblings, itself included."""

    id: uuid.UUID
    parent_id: uuid.UUID | None
    turn_id: uuid.UUID | None
    role: str
    content: list[Block]
    stop_reason: str | None
    created_at: datetime
    siblings: int


class PathPage(NamedTuple):
    """A part of the path that ends in a leaf, oldest message first."""

    leaf: uuid.UUID | None
    skipped: int
    """The number of messages before the page's first."""
    messages: list[PathMessage]


# From the leaf to the page's last message by jump pointers (Myers' skew-binary ones), in about twice the logarithm of
# the depth; from there upwards along `parent`, to its first. Without a leaf, it is the active one's path; with a
# reader, the conversation must be open to them.
OPEN = open_condition(
    conversation="conversation.id", owner="conversation.owner_id", user="%(reader)s::uuid", right=Right.READ
)
PAGE = f"""
WITH RECURSIVE asked AS (
    SELECT id, coalesce(%(leaf)s::uuid, active_leaf_id) AS leaf FROM conversations_conversation AS conversation
    WHERE id = %(conversation)s AND (%(reader)s::uuid IS NULL OR {OPEN})
), hop AS (
    SELECT message.id, parent_id, jump, depth, first, least(depth, first + %(size)s - 1) AS last
    FROM asked JOIN conversations_message AS message ON message.id = asked.leaf AND conversation_id = asked.id,
        LATERAL (SELECT CASE WHEN %(skip)s < 0 THEN greatest(depth + 1 + %(skip)s, 0) ELSE %(skip)s END AS first)
    UNION ALL
    SELECT message.id, message.parent_id, message.jump, message.depth, hop.first, hop.last
    FROM hop
    JOIN conversations_message AS over ON over.id = hop.jump
    JOIN conversations_message AS message
        ON message.id = CASE WHEN over.depth >= hop.last THEN hop.jump ELSE hop.parent_id END
    WHERE hop.depth > hop.last
), page AS (
    SELECT id, parent_id, depth, first FROM hop WHERE depth = last AND depth >= first
    UNION ALL
    SELECT message.id, message.parent_id, message.depth, page.first
    FROM conversations_message AS message JOIN page ON message.id = page.parent_id
    WHERE page.depth > page.first
)
SELECT asked.leaf, (SELECT max(first) FROM hop), message.*, CASE
    WHEN message.parent_id IS NULL THEN (
        SELECT count(*) FROM conversations_message AS sibling
        WHERE sibling.conversation_id = asked.id AND sibling.parent_id IS NULL
    )
    ELSE (SELECT count(*) FROM conversations_message AS sibling WHERE sibling.parent_id = message.parent_id)
END AS siblings
FROM asked LEFT JOIN page ON true LEFT JOIN LATERAL (
    SELECT id, parent_id, turn_id, role, content, stop_reason, created_at
    FROM conversations_message AS message WHERE message.id = page.id OFFSET 0
) AS message ON true
ORDER BY page.depth
"""  # noqa: S608 - ours


def page_of_path(
    conversation_id: uuid.UUID | str, leaf_id: uuid.UUID | None, skip: int, size: int, reader: User | None = None
) -> PathPage:
    """Return a number of messages on the path to a leaf, by default the active one, after the first `skip`.

    A negative `skip` is counted from the path's end: -50 skips all but the last 50. Raise NotFound if the conversation
    has no such message, or is not open to the reader, if one is given.
    """
    values = {
        "conversation": Conversation.objects.key(conversation_id),
        "reader": reader and reader.pk,
        "leaf": leaf_id,
        "skip": skip,
        "size": size,
    }
    rows = prepared(PAGE, values)
    if not rows:
        raise NotFound("There is no conversation with this id, or it is not yours.")
    leaf, first, *_ = rows[0]
    if leaf_id and first is None:
        raise no_such_message("leaf", leaf_id)
    return PathPage(leaf, first or 0, [PathMessage(*message) for _, _, *message in rows if message[0]])
