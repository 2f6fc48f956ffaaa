from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """Foreign keys of two columns, and room on the turns' pages for the journal's frequent updates of them."""

    dependencies: ClassVar = [("conversations", "0001_initial")]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            ALTER TABLE conversations_message ADD CONSTRAINT message_parent_in_conversation
                FOREIGN KEY (conversation_id, parent_id) REFERENCES conversations_message (conversation_id, id)
                DEFERRABLE INITIALLY DEFERRED
            """,
            "ALTER TABLE conversations_message DROP CONSTRAINT message_parent_in_conversation",
        ),
        migrations.RunSQL(
            """
            ALTER TABLE conversations_journal ADD CONSTRAINT piece_begins_where_one_ends
                FOREIGN KEY (turn_id, previous) REFERENCES conversations_journal (turn_id, "end")
            """,
            "ALTER TABLE conversations_journal DROP CONSTRAINT piece_begins_where_one_ends",
        ),
        migrations.RunSQL(
            "ALTER TABLE conversations_turn SET (fillfactor = 70)",
            "ALTER TABLE conversations_turn RESET (fillfactor)",
        ),
    ]
