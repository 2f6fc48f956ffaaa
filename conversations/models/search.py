"""The documents of the search: titles of conversations and texts of messages, folded, on shelves."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from conversations.models.conversation import Conversation, Message


class ShelvedConversation(models.Model):
    """The shelf with a conversation's search documents: a partition of its owner's documents in the index.

    A conversation is put on a shelf when its first document is created, and stays there. Postgres deletes the row with
    the conversation.
    """

    conversation = models.OneToOneField(
        Conversation, primary_key=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    owner_id = models.UUIDField(help_text="The conversation's owner.")
    shelf = models.BigIntegerField(help_text="The number of the shelf, which is one owner's.")
    documents = models.PositiveIntegerField(help_text="How many documents were made; deleted ones are counted too.")

    objects: ClassVar[models.Manager[ShelvedConversation]] = models.Manager()

    class Meta:
        indexes = (models.Index("owner_id", "shelf", name="shelved_by_owner"),)

    def __str__(self) -> str:
        return f"Shelf {self.shelf} of conversation {self.conversation_id}"


class SearchDocument(models.Model):
    """A title or the text of a message in its searchable form (content/search_text.py)."""

    id = models.BigAutoField(primary_key=True)
    # Postgres deletes documents with their messages and titles (migration 0002): one may be created during the
    # deletion.
    conversation = models.ForeignKey(Conversation, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    message = models.OneToOneField(
        Message,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        help_text="Null for the conversation's title.",
    )
    terms = SearchVectorField(help_text="What it is found by. Each term begins with the key of its shelf.")
    text = models.TextField(help_text="Folded, with the boundaries of its words marked.")

    objects: ClassVar[models.Manager[SearchDocument]] = models.Manager()

    class Meta:
        verbose_name = "search document"
        constraints = (
            models.UniqueConstraint("conversation", condition=models.Q(message=None), name="search_document_of_title"),
        )
        # Without the index's list of pending entries, which each look-up on a shelf would have to read.
        indexes = (GinIndex("terms", name="search_document_terms", fastupdate=False),)

    def __str__(self) -> str:
        return f"Search document {self.id}"


class Unindexed(models.Model):
    """A title or message whose search document has to be created or updated. Triggers add the rows.

    It has no foreign keys: a row for a deleted text is dropped when it is processed.
    """

    id = models.BigAutoField(primary_key=True)
    owner_id = models.UUIDField(db_index=True)
    conversation_id = models.UUIDField()
    message_id = models.UUIDField(null=True, help_text="Null for the conversation's title.")

    objects: ClassVar[models.Manager[Unindexed]] = models.Manager()

    def __str__(self) -> str:
        return f"Unindexed {self.message_id or self.conversation_id}"
