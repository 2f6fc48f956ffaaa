"""Walking the tree of a conversation's messages."""

from __future__ import annotations

import uuid

from django.db.models.expressions import RawSQL

from conversations.models import Message

# Upwards along `parent`, so that the cost is the path's length and not the conversation's.
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


def path_to(conversation_id: uuid.UUID, leaf_id: uuid.UUID | None) -> list[Message]:
    """Return the messages from the root to a leaf, oldest first, each with the settings of its turn."""
    return list(Message.objects.raw(PATH, [leaf_id, conversation_id])) if leaf_id else []


def turns_on_path(conversation_id: uuid.UUID, leaf_id: uuid.UUID | None) -> RawSQL:
    """Return the turns that said what is on the path to a leaf, as a subquery."""
    # As PATH, but only by the keys: what was said is not read.
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


# From the leaf to the page's last message by jumps, which are as long as they can be (Myers' skew-binary ones): about
# twice the logarithm of the depth. From there upwards along `parent`, to its first.
PAGE = """
WITH RECURSIVE hop AS (
    SELECT id, parent_id, jump, depth, least(depth, %(skip)s + %(size)s - 1) AS last FROM conversations_message
    WHERE id = %(leaf)s AND conversation_id = %(conversation)s
    UNION ALL
    SELECT message.id, message.parent_id, message.jump, message.depth, hop.last
    FROM hop
    JOIN conversations_message AS over ON over.id = hop.jump
    JOIN conversations_message AS message
        ON message.id = CASE WHEN over.depth >= hop.last THEN hop.jump ELSE hop.parent_id END
    WHERE hop.depth > hop.last
), page AS (
    SELECT id, parent_id, depth FROM hop WHERE depth = last AND depth >= %(skip)s
    UNION ALL
    SELECT message.id, message.parent_id, message.depth
    FROM conversations_message AS message JOIN page ON message.id = page.parent_id
    WHERE page.depth > %(skip)s
)
SELECT message.*, CASE
    WHEN message.parent_id IS NULL THEN (
        SELECT count(*) FROM conversations_message AS sibling
        WHERE sibling.conversation_id = message.conversation_id AND sibling.parent_id IS NULL
    )
    ELSE (SELECT count(*) FROM conversations_message AS sibling WHERE sibling.parent_id = message.parent_id)
END AS siblings
FROM page
CROSS JOIN LATERAL (SELECT * FROM conversations_message AS message WHERE message.id = page.id OFFSET 0) AS message
ORDER BY page.depth
"""


def page_of_path(conversation_id: uuid.UUID, leaf_id: uuid.UUID | None, skip: int, size: int) -> list[Message]:
    """Return so many messages of a path after the first `skip`, oldest first, each with how many share its parent."""
    values = {"conversation": conversation_id, "leaf": leaf_id, "skip": skip, "size": size}
    return list(Message.objects.raw(PAGE, values)) if leaf_id else []
