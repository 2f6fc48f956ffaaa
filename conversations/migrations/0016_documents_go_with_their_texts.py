"""Search documents are deleted by Postgres with the text that they are of.

A document may be made between the moment at which Django has deleted those that there are, and the one at which it
deletes the message.
"""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

CASCADE = """
ALTER TABLE conversations_searchdocument
    ADD CONSTRAINT document_of_conversation FOREIGN KEY (conversation_id) REFERENCES conversations_conversation
        ON DELETE CASCADE,
    ADD CONSTRAINT document_of_message FOREIGN KEY (message_id) REFERENCES conversations_message ON DELETE CASCADE;
"""
NO_CASCADE = """
ALTER TABLE conversations_searchdocument
    DROP CONSTRAINT document_of_conversation, DROP CONSTRAINT document_of_message;
"""


class Migration(migrations.Migration):

    dependencies: ClassVar = [("conversations", "0015_conversations_by_key")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="searchdocument",
            name="conversation",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="conversations.conversation",
            ),
        ),
        migrations.AlterField(
            model_name="searchdocument",
            name="message",
            field=models.OneToOneField(
                db_constraint=False,
                help_text="Null for the conversation's title.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="conversations.message",
            ),
        ),
        migrations.RunSQL(CASCADE, NO_CASCADE),
    ]
