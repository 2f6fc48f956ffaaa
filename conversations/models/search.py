"""What the search looks through: the titles of conversations and the texts of messages, folded and indexed."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from conversations.models.conversation import Conversation, Message


class SearchDocument(models.Model):
    """A title or the text of a message, as it is searched (content/search_text.py)."""

    id = models.BigAutoField(primary_key=True)
    # Postgres deletes documents with what they are of (migration 0016): one may be made while that is being deleted.
    conversation = models.ForeignKey(Conversation, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    message = models.OneToOneField(
        Message,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        help_text="Null for the conversation's title.",
    )
    terms = SearchVectorField(help_text="What it is found by. Each term begins with the owner's key.")
    text = models.TextField(help_text="Folded, with the boundaries of its words marked.")

    objects: ClassVar[models.Manager[SearchDocument]] = models.Manager()

    class Meta:
        verbose_name = "search document"
        constraints = (
            models.UniqueConstraint("conversation", condition=models.Q(message=None), name="search_document_of_title"),
        )
        # What is not in the index yet is looked through by every search: no more than this many kB.
        indexes = (GinIndex("terms", name="search_document_terms", gin_pending_list_limit=1024),)

    def __str__(self) -> str:
        return f"Search document {self.id}"


class Unindexed(models.Model):
    """A title or message whose search document is to be made anew. Triggers write it, whoever changes the text.

    It has no foreign keys: what is gone is forgotten when its turn comes.
    """

    id = models.BigAutoField(primary_key=True)
    owner_id = models.UUIDField(db_index=True)
    conversation_id = models.UUIDField()
    message_id = models.UUIDField(null=True, help_text="Null for the conversation's title.")

    objects: ClassVar[models.Manager[Unindexed]] = models.Manager()

    def __str__(self) -> str:
        return f"Unindexed {self.message_id or self.conversation_id}"
