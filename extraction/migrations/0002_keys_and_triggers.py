"""A key and triggers: what the models promise and Django has no words for, as in the core's migrations.

They hold for every writer: the services, a cascade, the admin, a shell and psql. Each constant below is one promise.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# A transcript's pieces leave no gap: each begins at 0 (where `previous` is null) or where another one ends.
PIECES_WITHOUT_GAPS = """
ALTER TABLE extraction_journal ADD CONSTRAINT extraction_piece_begins_where_one_ends
    FOREIGN KEY (extraction_id, previous) REFERENCES extraction_journal (extraction_id, "end");
"""

# Work that has not ended is stopped and booked first.
ENDED_FIRST = """
CREATE TRIGGER extraction_has_ended BEFORE DELETE ON extraction_extraction FOR EACH ROW
    EXECUTE FUNCTION refuse_to_delete_unended_work(
        'succeeded', 'invalid', 'refused', 'truncated', 'failed', 'cancelled'
    );
"""

# A request that was sent is booked by its row. One that Claude did not take is taken back by services/answers.py.
BOOKED_FIRST = """
CREATE FUNCTION refuse_to_delete_unbooked_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('colloquy.takes_back', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'Nobody has booked the request %: it has to be booked before it is deleted.', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER answer_is_booked BEFORE DELETE ON extraction_answer FOR EACH ROW
    WHEN (OLD.usage_id IS NULL) EXECUTE FUNCTION refuse_to_delete_unbooked_answer();
"""

# What Anthropic keeps of batches that were deleted here is deleted there.
UNWANTED = """
CREATE FUNCTION note_unwanted_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO extraction_unwantedbatch (upstream_id) VALUES (OLD.upstream_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER message_batch_is_unwanted AFTER DELETE ON extraction_messagebatch FOR EACH ROW
    WHEN (OLD.upstream_id IS NOT NULL) EXECUTE FUNCTION note_unwanted_batch();
"""


class Migration(migrations.Migration):
    replaces: ClassVar = [
        ("extraction", "0003_pieces_without_gaps"),
        ("extraction", "0006_nothing_is_lost_by_deleting"),
        ("extraction", "0007_unwanted_batches"),
    ]
    dependencies: ClassVar = [
        ("extraction", "0001_tables"),
        ("conversations", "0005_text_and_deletion_triggers"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(
            PIECES_WITHOUT_GAPS,
            "ALTER TABLE extraction_journal DROP CONSTRAINT extraction_piece_begins_where_one_ends;",
        ),
        migrations.RunSQL(ENDED_FIRST, "DROP TRIGGER extraction_has_ended ON extraction_extraction;"),
        migrations.RunSQL(BOOKED_FIRST, "DROP FUNCTION refuse_to_delete_unbooked_answer() CASCADE;"),
        migrations.RunSQL(UNWANTED, "DROP FUNCTION note_unwanted_batch() CASCADE;"),
    ]
