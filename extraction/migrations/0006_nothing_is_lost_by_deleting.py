"""What may be deleted, whoever does it, as in the core's migration of the same name."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

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


class Migration(migrations.Migration):

    dependencies: ClassVar = [
        ("extraction", "0005_differences_of_evaluations"),
        ("conversations", "0007_nothing_is_lost_by_deleting"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(ENDED_FIRST, "DROP TRIGGER extraction_has_ended ON extraction_extraction;"),
        migrations.RunSQL(BOOKED_FIRST, "DROP FUNCTION refuse_to_delete_unbooked_answer() CASCADE;"),
    ]
