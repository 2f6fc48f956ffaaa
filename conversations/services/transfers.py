"""Copying whole conversations: forks and exports. They are imported by services/conversation_import.py."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from conversations.content import block_checks
from conversations.contract.wire import Block
from conversations.models import Attachment, Conversation, Feedback, Message, Right, User
from conversations.services.files import attachment_owners, attachments
from conversations.services.turns import message_paths

AT_ONCE = 50  # messages in one statement, which is held several times over on its way to the server


def fork(*, user: User, id: uuid.UUID | str, message: uuid.UUID) -> Conversation:
    """Create a conversation of the user with the path up to a message and the same settings.

    Files are not copied; other users' files become attachments of the user with the same bytes.
    """
    source = Conversation.objects.get_open(user, id, Right.READ)
    path = message_paths.path_to(source.pk, message)
    if not path:
        raise message_paths.no_such_message("message", message)
    contents = [each.content for each in path]
    if source.owner_id != user.pk:
        contents = [attachment_owners.with_adopted(content, user) for content in contents]
    with transaction.atomic(durable=True):
        forked = Conversation.objects.create(
            owner=user,
            title=source.title,
            settings=source.settings,
            metadata=source.metadata,
            tags=source.tags,
            temporary=source.temporary,
        )
        copies: list[Message] = []
        for each, content in zip(path, contents, strict=True):
            parent = copies[-1].pk if copies else None
            copies.append(
                Message(
                    conversation=forked,
                    parent_id=parent,
                    role=each.role,
                    content=content,
                    text=each.text,
                    stop_reason=each.stop_reason,
                )
            )
        Message.objects.bulk_create(copies, batch_size=AT_ONCE)
        attachments.link_to_messages(copies)
        forked.active_leaf_id = copies[-1].pk
        forked.save(update_fields=["active_leaf"])
        return forked


@dataclass(frozen=True)
class Exported:
    """A message of an export; its ids are valid within the export only."""

    id: str
    parent: str | None
    role: str
    content: list[Block]
    stop_reason: str | None = None
    created_at: datetime | None = None
    feedback: Mapping[str, object] | None = None
    """The owner's rating and comment."""
    origin: str | None = None
    """Its id at the source from which it was imported, if any."""

    @property
    def key(self) -> str:
        """Return the identity of the message in all copies."""
        return self.origin or self.id


@dataclass(frozen=True)
class Export:
    """A conversation without the records of its runs: transcripts and ledger rows."""

    fields: Mapping[str, object]
    """Title, metadata, tags, settings and so on, as for `conversations.create`."""
    messages: list[Exported]
    active_leaf: str | None = None
    attachments: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Media type and base64, by the ids in the messages."""
    stored: Mapping[str, str] = field(default_factory=dict)
    """The ids of the importing user's attachments, by the ids in the messages."""
    origin: str | None = None
    """Identifies the conversation in all its copies; without an origin, each import creates a new conversation."""
    created_at: datetime | None = None
    updated_at: datetime | None = None


def export(*, user: User, id: uuid.UUID | str) -> Export:
    """Return all that `import_conversation` needs to create a copy of the conversation."""
    conversation = Conversation.objects.get_open(user, id, Right.READ)
    shown = Attachment.objects.filter(shown_in__message__conversation=conversation).distinct()
    return Export(
        fields=exported_fields(conversation),
        messages=exported_messages(user, list(conversation.messages.order_by("id"))),
        active_leaf=str(conversation.active_leaf_id) if conversation.active_leaf_id else None,
        attachments={
            str(each.pk): (each.media_type, block_checks.base64_encoded(attachments.read_bytes(each))) for each in shown
        },
    )


def exported_fields(conversation: Conversation) -> dict[str, object]:
    """Return a conversation's fields and settings, as arguments of `conversations.create`."""
    return {
        "title": conversation.title,
        "metadata": conversation.metadata,
        "tags": conversation.tags,
        "temporary": conversation.temporary,
        **conversation.settings,
    }


def exported_messages(user: User, messages: Sequence[Message]) -> list[Exported]:
    """Return messages with the user's own feedback on them."""
    given = Feedback.objects.filter(message__in=[message.pk for message in messages], user=user)
    feedback = {each.message_id: {"rating": each.rating, "comment": each.comment} for each in given}
    return [
        Exported(
            id=str(message.pk),
            parent=str(message.parent_id) if message.parent_id else None,
            role=message.role,
            content=message.content,
            stop_reason=message.stop_reason,
            created_at=message.created_at,
            feedback=feedback.get(message.pk),
            origin=message.origin,
        )
        for message in messages
    ]
