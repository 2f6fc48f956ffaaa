"""Each piece of a transcript begins where another one ends."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

PIECES_WITHOUT_GAPS = """
ALTER TABLE extraction_journal ADD CONSTRAINT extraction_piece_begins_where_one_ends
    FOREIGN KEY (extraction_id, previous) REFERENCES extraction_journal (extraction_id, "end");
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("extraction", "0002_schemas_and_answers")]

    operations: ClassVar = [
        migrations.RunSQL(
            PIECES_WITHOUT_GAPS,
            "ALTER TABLE extraction_journal DROP CONSTRAINT extraction_piece_begins_where_one_ends;",
        ),
    ]
