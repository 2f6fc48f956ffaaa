"""Conversations and the tree of their messages."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models

from conversations.contract.wire import Settings
from conversations.fields import VerbatimJSONField, WrittenField, uuid7
from conversations.models.access import SharedQuerySet
from conversations.models.idempotent import Idempotent

TAG_LENGTH = 100  # characters
ORIGIN_LENGTH = 250  # characters


class Conversation(Idempotent):
    """A user's thread of messages: a tree, since an edit or a regeneration creates a sibling."""

    CONVERSATION = ""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=500, blank=True, default="")
    settings = VerbatimJSONField(
        default=dict, help_text="The settings of its requests to Claude: model, system, max_tokens, …"
    )
    metadata = VerbatimJSONField(default=dict, help_text="The client's own; never sent to Claude.")
    tags = ArrayField(
        models.CharField(max_length=TAG_LENGTH),
        default=list,
        db_default=[],
        blank=True,
        help_text="Its owner's words to find it by.",
    )
    # A migration adds the foreign key (id, active_leaf) -> (conversation, id). With a key of the leaf alone, Postgres
    # would search all conversations for each deleted message.
    active_leaf = models.ForeignKey(
        "Message", null=True, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    archived = models.BooleanField(default=False)
    temporary = models.BooleanField(
        default=False, db_default=False, help_text="Whether it is deleted a day after its last turn."
    )
    origin = models.CharField(  # noqa: DJ001 - null is 'none', and not unique
        max_length=ORIGIN_LENGTH,
        null=True,
        editable=False,
        help_text="What it was imported from: `<source>/<its id there>`. Null where it began here.",
    )
    imported_at = models.DateTimeField(null=True, editable=False)
    # With a default in the database, since processes of the previous release still run during a deploy.
    request_digest = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="SHA-256 of what was asked."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = WrittenField()
    # An index of the words of titles, for staff; the owner's search uses SearchDocument.
    searchable = models.GeneratedField(
        expression=SearchVector("title", config="simple"), output_field=SearchVectorField(), db_persist=True
    )

    role: str
    """The role of the user to whom it is shown: `owner`, or that of their share (services/accounts/shares.py)."""

    objects: ClassVar[SharedQuerySet[Conversation]] = SharedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-updated_at", "-id")
        indexes = (
            models.Index(fields=("owner", "-updated_at", "-id"), name="conversation_by_update"),
            GinIndex("searchable", name="conversation_search"),
            GinIndex("tags", name="conversation_tags"),
            models.Index("id", condition=models.Q(temporary=True), name="conversation_temporary"),
        )
        constraints = (
            models.UniqueConstraint("owner", "origin", name="imported_once"),
            models.UniqueConstraint(
                fields=("owner", "idempotency_key"),
                condition=models.Q(idempotency_key__isnull=False),
                name="one_conversation_per_key",
            ),
        )

    def __str__(self) -> str:
        return self.title or f"Conversation {self.id}"

    @property
    def owner_name(self) -> str:
        """Return the owner's user name."""
        return self.owner.username


class Message(models.Model):
    """One node of the tree: a message of the user or of Claude, with its content blocks verbatim and in order."""

    CONVERSATION = "conversation__"

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")
    turn = models.ForeignKey("Turn", null=True, on_delete=models.SET_NULL, related_name="messages")
    role = models.CharField(max_length=9, choices=Role)
    content = VerbatimJSONField(help_text="Claude's content blocks; attachments stand for base64.")
    text = models.TextField(blank=True, default="", help_text="The plain text of the content, for search and previews.")
    stop_reason = models.CharField(max_length=100, null=True)  # noqa: DJ001 - null as in Claude's API
    origin = models.CharField(  # noqa: DJ001 - null is 'none'
        max_length=ORIGIN_LENGTH, null=True, editable=False, help_text="Its id where it was imported from."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # Both are set by a trigger (the migration) for every insert: services/turns/message_paths.py finds ancestors by
    # them.
    depth = models.PositiveIntegerField(default=0, db_default=0, editable=False, help_text="0 for a root.")
    jump = models.UUIDField(null=True, editable=False, help_text="An ancestor some way up; a root's own id.")

    turn_settings: Settings | None
    """The settings of the message's turn, if the message was read with its path (services/turns/message_paths.py)."""

    objects: ClassVar[SharedQuerySet[Message]] = SharedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("id",)
        # The migration adds the foreign key (conversation, parent) -> (conversation, id), which Django can't express.
        constraints = (
            models.UniqueConstraint("conversation", "id", name="message_in_conversation"),
            models.CheckConstraint(condition=~models.Q(parent=models.F("id")), name="message_not_its_own_parent"),
        )
        indexes = (models.Index("conversation", condition=models.Q(parent__isnull=True), name="message_root"),)

    def __str__(self) -> str:
        return f"Message {self.id} ({self.role})"
