"""Keys, storage parameters and a sequence: what the models promise and Django has no words for.

Postgres holds to them whoever writes: the services, the admin, a shell and psql. Each constant below is one promise.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# A message's parent is in the same conversation. Checked at the end of the transaction, so that a tree can be inserted
# and deleted in any order.
PARENT_IN_CONVERSATION = """
ALTER TABLE conversations_message ADD CONSTRAINT message_parent_in_conversation
    FOREIGN KEY (conversation_id, parent_id) REFERENCES conversations_message (conversation_id, id)
    DEFERRABLE INITIALLY DEFERRED;
"""

# Where a message is deleted, Postgres looks for the row that refers to it: by the conversation's id, and not by the
# leaf's, for which there is no index. Checked at the end of the transaction, as the key of the parent is.
LEAF_IN_CONVERSATION = """
ALTER TABLE conversations_conversation ADD CONSTRAINT active_leaf_in_conversation
    FOREIGN KEY (id, active_leaf_id) REFERENCES conversations_message (conversation_id, id)
    DEFERRABLE INITIALLY DEFERRED;
"""

# A turn's pieces leave no gap: each begins at 0 (where `previous` is null) or where another one ends.
PIECES_WITHOUT_GAPS = """
ALTER TABLE conversations_journal ADD CONSTRAINT piece_begins_where_one_ends
    FOREIGN KEY (turn_id, previous) REFERENCES conversations_journal (turn_id, "end");
"""

# A running turn is updated with every flush of the journal. Room on its page keeps these updates out of the indexes.
ROOM_FOR_UPDATES = "ALTER TABLE conversations_turn SET (fillfactor = 70);"

# What the index leads to is small, and the terms and texts, which few searches read, are kept aside. A search is over
# before other processes of Postgres could be started to share it.
NARROW_ROWS = "ALTER TABLE conversations_searchdocument SET (toast_tuple_target = 128, parallel_workers = 0);"

# Documents of the search are deleted by Postgres with the text that they are of: one may be made between the moment at
# which Django has deleted those that there are, and the one at which it deletes the message.
DOCUMENTS_GO_WITH_TEXTS = """
ALTER TABLE conversations_searchdocument
    ADD CONSTRAINT document_of_conversation FOREIGN KEY (conversation_id) REFERENCES conversations_conversation
        ON DELETE CASCADE,
    ADD CONSTRAINT document_of_message FOREIGN KEY (message_id) REFERENCES conversations_message ON DELETE CASCADE;
"""

# Each owner's documents are on shelves, which a search looks through one by one.
SHELVES = """
CREATE SEQUENCE conversations_search_shelf;
ALTER TABLE conversations_shelvedconversation
    ADD CONSTRAINT shelved_conversation FOREIGN KEY (conversation_id) REFERENCES conversations_conversation
        ON DELETE CASCADE;
"""


def key(sql: str, table: str, name: str) -> migrations.RunSQL:
    """Return the operation that adds a constraint to a table."""
    return migrations.RunSQL(sql, f"ALTER TABLE {table} DROP CONSTRAINT {name};")


class Migration(migrations.Migration):
    replaces: ClassVar = [
        ("conversations", "0003_what_django_cannot_express"),
        ("conversations", "0010_active_leaf_in_its_conversation"),
        ("conversations", "0016_documents_go_with_their_texts"),
        ("conversations", "0017_search_shelves"),
    ]
    dependencies: ClassVar = [("conversations", "0001_tables")]

    operations: ClassVar = [
        key(PARENT_IN_CONVERSATION, "conversations_message", "message_parent_in_conversation"),
        key(LEAF_IN_CONVERSATION, "conversations_conversation", "active_leaf_in_conversation"),
        key(PIECES_WITHOUT_GAPS, "conversations_journal", "piece_begins_where_one_ends"),
        migrations.RunSQL(ROOM_FOR_UPDATES, "ALTER TABLE conversations_turn RESET (fillfactor);"),
        migrations.RunSQL(NARROW_ROWS, migrations.RunSQL.noop),
        migrations.RunSQL(
            DOCUMENTS_GO_WITH_TEXTS,
            "ALTER TABLE conversations_searchdocument "
            "DROP CONSTRAINT document_of_conversation, DROP CONSTRAINT document_of_message;",
        ),
        migrations.RunSQL(SHELVES, "DROP SEQUENCE conversations_search_shelf;"),
    ]
