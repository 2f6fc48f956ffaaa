"""Walking the tree of a conversation's messages."""

from __future__ import annotations

import uuid

from conversations.models import Message

# Upwards along `parent`, so that the cost is the path's length and not the conversation's.
PATH = """
WITH RECURSIVE path AS (
    SELECT id, parent_id, 0 AS depth FROM conversations_message WHERE id = %s AND conversation_id = %s
    UNION ALL
    SELECT message.id, message.parent_id, path.depth + 1
    FROM conversations_message AS message JOIN path ON message.id = path.parent_id
)
SELECT message.*, path.depth FROM conversations_message AS message JOIN path USING (id) ORDER BY path.depth DESC
"""


def to_message(conversation_id: uuid.UUID, leaf_id: uuid.UUID | None) -> list[Message]:
    """The messages from the root to a leaf, oldest first."""
    return list(Message.objects.raw(PATH, [leaf_id, conversation_id])) if leaf_id else []


# The ids of a path are cheap to walk; only the page's messages are read whole.
PAGE = """
WITH RECURSIVE path AS (
    SELECT id, parent_id, 0 AS depth FROM conversations_message
    WHERE id = %(leaf)s AND conversation_id = %(conversation)s
    UNION ALL
    SELECT message.id, message.parent_id, path.depth + 1
    FROM conversations_message AS message JOIN path ON message.id = path.parent_id
), page AS (
    SELECT id, depth FROM path ORDER BY depth DESC OFFSET %(skip)s LIMIT %(size)s
)
SELECT message.*, (
    SELECT count(*) FROM conversations_message AS sibling
    WHERE sibling.conversation_id = message.conversation_id
      AND sibling.parent_id IS NOT DISTINCT FROM message.parent_id
) AS siblings
FROM conversations_message AS message JOIN page USING (id) ORDER BY page.depth DESC
"""


def page(conversation_id: uuid.UUID, leaf_id: uuid.UUID | None, skip: int, size: int) -> list[Message]:
    """So many messages of a path after the first `skip`, oldest first, each with how many share its parent."""
    values = {"conversation": conversation_id, "leaf": leaf_id, "skip": skip, "size": size}
    return list(Message.objects.raw(PAGE, values)) if leaf_id else []
