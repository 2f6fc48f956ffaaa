"""The active leaf is a message of its own conversation, which Postgres can tell by the indexes that there are."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

# Where a message is deleted, Postgres looks for the row that refers to it: by the conversation's id, and not by the
# leaf's, for which there is no index. Checked at the end of the transaction, as the key of the parent is.
LEAF_IN_CONVERSATION = """
ALTER TABLE conversations_conversation ADD CONSTRAINT active_leaf_in_conversation
    FOREIGN KEY (id, active_leaf_id) REFERENCES conversations_message (conversation_id, id)
    DEFERRABLE INITIALLY DEFERRED;
"""


class Migration(migrations.Migration):

    dependencies: ClassVar = [("conversations", "0009_deletions_and_retention")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="conversation",
            name="active_leaf",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="conversations.message",
            ),
        ),
        migrations.RunSQL(
            LEAF_IN_CONVERSATION,
            "ALTER TABLE conversations_conversation DROP CONSTRAINT active_leaf_in_conversation;",
        ),
    ]
