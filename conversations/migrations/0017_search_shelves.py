"""The search index has each owner's documents on shelves, which are looked through one by one. All is indexed anew."""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

EMPTIED = """
TRUNCATE conversations_searchdocument;
DELETE FROM conversations_unindexed;
"""

SHELVES = """
CREATE SEQUENCE conversations_search_shelf;
ALTER TABLE conversations_shelvedconversation
    ADD CONSTRAINT shelved_conversation FOREIGN KEY (conversation_id) REFERENCES conversations_conversation
        ON DELETE CASCADE;
"""
NO_SHELVES = "DROP SEQUENCE conversations_search_shelf;"

# Web processes make the documents, the newest first, as they make those of new messages.
ALL_THAT_IS_THERE = """
INSERT INTO conversations_unindexed (owner_id, conversation_id, message_id)
SELECT conversation.owner_id, conversation.id, message.id
FROM conversations_message AS message
JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
WHERE message.text <> '' ORDER BY message.id;
INSERT INTO conversations_unindexed (owner_id, conversation_id)
SELECT owner_id, id FROM conversations_conversation WHERE title <> '' ORDER BY id;
"""


class Migration(migrations.Migration):

    dependencies: ClassVar = [("conversations", "0016_documents_go_with_their_texts")]

    operations: ClassVar = [
        migrations.RunSQL(EMPTIED, EMPTIED),
        migrations.RemoveIndex(model_name="searchdocument", name="search_document_terms"),
        migrations.AlterField(
            model_name="searchdocument",
            name="terms",
            field=django.contrib.postgres.search.SearchVectorField(
                help_text="What it is found by. Each term begins with the key of its shelf."
            ),
        ),
        migrations.AddIndex(
            model_name="searchdocument",
            index=django.contrib.postgres.indexes.GinIndex("terms", fastupdate=False, name="search_document_terms"),
        ),
        migrations.CreateModel(
            name="ShelvedConversation",
            fields=[
                (
                    "conversation",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="conversations.conversation",
                    ),
                ),
                ("owner_id", models.UUIDField(help_text="The conversation's owner.")),
                ("shelf", models.BigIntegerField(help_text="The number of the shelf, which is one owner's.")),
                (
                    "documents",
                    models.PositiveIntegerField(help_text="How many documents were made; deleted ones are counted too."),
                ),
            ],
            options={"indexes": [models.Index("owner_id", "shelf", name="shelved_by_owner")]},
        ),
        migrations.RunSQL(SHELVES, NO_SHELVES),
        migrations.RunSQL(ALL_THAT_IS_THERE, migrations.RunSQL.noop),
    ]
