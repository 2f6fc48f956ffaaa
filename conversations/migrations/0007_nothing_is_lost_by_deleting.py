"""What may be deleted, whoever does it: the services, a cascade, the admin, a shell or psql."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.functions.datetime
from django.db import migrations, models

# Work that has not ended may have requests that are in no ledger yet, and something held of a budget for them: it is
# stopped, booked and released before it is deleted (services/deletion.py).
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

    dependencies: ClassVar = [("conversations", "0006_feedback")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="UnwantedFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
        ),
        migrations.RunSQL(ENDED_FIRST, "DROP FUNCTION refuse_to_delete_unended_work() CASCADE;"),
        migrations.RunSQL(UNWANTED_FILES, "DROP FUNCTION note_unwanted_file() CASCADE;"),
    ]
