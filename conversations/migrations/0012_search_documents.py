"""What the search looks through, and the triggers that say what is to be indexed. All that is there is indexed anew."""

from typing import ClassVar

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

# What the index leads to is small, and the terms and texts, which few searches read, are kept aside. A search is over
# before other processes of Postgres could be started to share it.
NARROW_ROWS = "ALTER TABLE conversations_searchdocument SET (toast_tuple_target = 128, parallel_workers = 0);"

# Whoever writes a title or a message: the services, an import, a shell or psql.
NOTED_TEXTS = """
CREATE FUNCTION note_new_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO conversations_unindexed (owner_id, conversation_id, message_id)
        SELECT conversation.owner_id, conversation.id, added.id
        FROM added JOIN conversations_conversation AS conversation ON conversation.id = added.conversation_id
        WHERE added.text <> '';
    RETURN NULL;
END $$;
CREATE TRIGGER new_messages_are_to_be_indexed AFTER INSERT ON conversations_message
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_new_messages();

CREATE FUNCTION note_changed_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO conversations_unindexed (owner_id, conversation_id, message_id)
        SELECT owner_id, id, NEW.id FROM conversations_conversation WHERE id = NEW.conversation_id;
    RETURN NULL;
END $$;
CREATE TRIGGER changed_message_is_to_be_indexed AFTER UPDATE OF text ON conversations_message
    FOR EACH ROW WHEN (NEW.text <> OLD.text) EXECUTE FUNCTION note_changed_message();

CREATE FUNCTION note_title() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO conversations_unindexed (owner_id, conversation_id) VALUES (NEW.owner_id, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER new_title_is_to_be_indexed AFTER INSERT ON conversations_conversation
    FOR EACH ROW WHEN (NEW.title <> '') EXECUTE FUNCTION note_title();
CREATE TRIGGER changed_title_is_to_be_indexed AFTER UPDATE OF title ON conversations_conversation
    FOR EACH ROW WHEN (NEW.title <> OLD.title) EXECUTE FUNCTION note_title();
"""
UNNOTED = """
DROP FUNCTION note_new_messages() CASCADE;
DROP FUNCTION note_changed_message() CASCADE;
DROP FUNCTION note_title() CASCADE;
"""

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

    dependencies: ClassVar = [("conversations", "0011_pending_turns")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SearchDocument",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "terms",
                    django.contrib.postgres.search.SearchVectorField(
                        help_text="What it is found by. Each term begins with the owner's key."
                    ),
                ),
                ("text", models.TextField(help_text="Folded, with the boundaries of its words marked.")),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        help_text="Null for the conversation's title.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="conversations.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "search document",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        models.F("terms"), name="search_document_terms", gin_pending_list_limit=1024
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("conversation"), condition=models.Q(message=None), name="search_document_of_title"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Unindexed",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("owner_id", models.UUIDField(db_index=True)),
                ("conversation_id", models.UUIDField()),
                ("message_id", models.UUIDField(help_text="Null for the conversation's title.", null=True)),
            ],
        ),
        migrations.RemoveIndex(model_name="message", name="message_search"),
        migrations.RemoveField(model_name="message", name="searchable"),
        migrations.RunSQL(NARROW_ROWS, migrations.RunSQL.noop),
        migrations.RunSQL(ALL_THAT_IS_THERE, migrations.RunSQL.noop),
        migrations.RunSQL(NOTED_TEXTS, UNNOTED),
    ]
