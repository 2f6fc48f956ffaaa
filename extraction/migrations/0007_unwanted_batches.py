"""What Anthropic keeps of batches that were deleted here is deleted there, whoever deleted them."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.functions.datetime
from django.db import migrations, models

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

    dependencies: ClassVar = [("extraction", "0006_nothing_is_lost_by_deleting")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="UnwantedBatch",
            fields=[
                ("upstream_id", models.CharField(max_length=100, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
        ),
        migrations.RunSQL(UNWANTED, "DROP FUNCTION note_unwanted_batch() CASCADE;"),
    ]
