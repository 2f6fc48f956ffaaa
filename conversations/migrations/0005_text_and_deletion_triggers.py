"""Triggers on texts and on deletions: messages are placed, texts are noted for the search, nothing is lost by deleting.

They hold for every writer: the services, a cascade, the admin, a shell and psql. Each constant below is one promise.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from conversations.migrations._operations import triggers

# Every message has its depth, and a jump to an ancestor: with jumps and parents any ancestor is found in a number of
# steps that grows with the logarithm of the depth. Jumps are those of a skew-binary list: where the parent's jump and
# the next one are of the same length, the new one is as long as both and one more; else it goes to the parent.
PLACED_MESSAGES = """
CREATE FUNCTION place_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    above record;
BEGIN
    SELECT parent.depth, parent.jump, first.depth AS first_depth, first.jump AS second, second.depth AS second_depth
        INTO above
        FROM conversations_message AS parent
        JOIN conversations_message AS first ON first.id = parent.jump
        JOIN conversations_message AS second ON second.id = first.jump
        WHERE parent.id = NEW.parent_id;
    IF NEW.parent_id IS NULL OR NOT FOUND THEN
        NEW.depth := 0;
        NEW.jump := NEW.id;
    ELSE
        NEW.depth := above.depth + 1;
        NEW.jump := CASE WHEN above.depth - above.first_depth = above.first_depth - above.second_depth
            THEN above.second ELSE NEW.parent_id END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER message_is_placed BEFORE INSERT ON conversations_message
    FOR EACH ROW EXECUTE FUNCTION place_message();
"""

# The search indexes what is written, whoever writes it: the services, an import, a shell or psql.
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

# Work that has not ended may have requests that are in no ledger yet, and something held of a budget for them: it is
# stopped, booked and released before it is deleted (services/deletion/).
ENDED_FIRST = """
CREATE FUNCTION refuse_to_delete_unended_work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> ALL (TG_ARGV) THEN
        RAISE EXCEPTION 'The % % is %: it has to be ended before it is deleted.',
            TG_TABLE_NAME, OLD.id, OLD.status USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER turn_has_ended BEFORE DELETE ON conversations_turn FOR EACH ROW
    EXECUTE FUNCTION refuse_to_delete_unended_work('completed', 'cancelled', 'failed', 'interrupted');
CREATE TRIGGER titling_has_ended BEFORE DELETE ON conversations_titling FOR EACH ROW
    EXECUTE FUNCTION refuse_to_delete_unended_work('completed', 'failed');
"""

# The bytes of an attachment lie in the storage, which is in no transaction.
UNWANTED_FILES = """
CREATE FUNCTION note_unwanted_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO conversations_unwantedfile (sha256) VALUES (OLD.sha256);
    RETURN NULL;
END $$;
CREATE TRIGGER attachment_leaves_a_file AFTER DELETE ON conversations_attachment
    FOR EACH ROW EXECUTE FUNCTION note_unwanted_file();
"""


class Migration(migrations.Migration):
    replaces: ClassVar = [
        ("conversations", "0007_nothing_is_lost_by_deleting"),
        ("conversations", "0012_search_documents"),
    ]
    dependencies: ClassVar = [("conversations", "0004_access_triggers")]

    operations: ClassVar = [
        triggers(PLACED_MESSAGES, "place_message"),
        triggers(NOTED_TEXTS, "note_new_messages", "note_changed_message", "note_title"),
        triggers(ENDED_FIRST, "refuse_to_delete_unended_work"),
        triggers(UNWANTED_FILES, "note_unwanted_file"),
    ]
