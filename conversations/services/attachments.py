"""Keeping images and documents: the bytes once in the storage, by their hash, and a row for each user who has them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from conversations import content
from conversations.content import Block
from conversations.errors import ClaudeError
from conversations.media import identify
from conversations.models import Attachment, Message, MessageAttachment, User


def store(*, owner: User, data: bytes) -> Attachment:
    """A user's attachment with these bytes: the one that they have already, or a new one."""
    identified = identify(data)
    sha256 = hashlib.sha256(data).hexdigest()
    attachment, _ = Attachment.objects.get_or_create(
        owner=owner,
        sha256=sha256,
        defaults={
            "media_type": identified.media_type,
            "size": len(data),
            "width": identified.width,
            "height": identified.height,
        },
    )
    # A transaction that is rolled back leaves the file behind: it is found by its hash when it is sent again.
    if not default_storage.exists(attachment.path):
        default_storage.save(attachment.path, ContentFile(data))
    return attachment


def take_in(*, owner: User, blocks: Sequence[Block]) -> list[Block]:
    """Checked blocks with attachments in the place of base64. NotFound for somebody else's."""

    def take(source: Block) -> Block:
        if source["type"] == "base64":
            attachment = store(owner=owner, data=base64.b64decode(source["data"]))
        elif source["type"] == "attachment":
            attachment = Attachment.objects.get_visible(owner, source["attachment"])
        else:
            return source
        return {"type": "attachment", "attachment": str(attachment.pk), "media_type": attachment.media_type}

    return content.with_sources(blocks, take)


def show(messages: Iterable[Message]) -> None:
    """Notes which attachments messages show, once they are stored."""
    MessageAttachment.objects.bulk_create(
        MessageAttachment(message=message, attachment_id=id)
        for message in messages
        for id in content.attachments_in(message.content)
    )


def expand(blocks: Sequence[Block]) -> list[Block]:
    """Stored blocks as Claude takes them."""
    return content.expanded(blocks, _read)


def measured(blocks: Sequence[Block]) -> list[Block]:
    """Stored blocks with the sizes of their attachments, in bytes, in the place of what is in them."""
    found = Attachment.objects.in_bulk(content.attachments_in(blocks))
    sizes = {str(id): each for id, each in found.items()}

    def measure(source: Block) -> Block:
        if source.get("type") != "attachment" or source["attachment"] not in sizes:
            return source
        each = sizes[source["attachment"]]
        return {"type": "base64", "media_type": each.media_type, "size": each.size}

    return content.with_sources(blocks, measure)


def _read(id: str) -> tuple[str, bytes]:
    attachment = Attachment.objects.get(pk=id)
    return attachment.media_type, read(attachment)


def read(attachment: Attachment) -> bytes:
    """The attachment's bytes."""
    try:
        with default_storage.open(attachment.path) as file:
            data: Any = file.read()
    except FileNotFoundError:
        raise ClaudeError(f"The file of attachment {attachment.pk} is missing.", type="api_error") from None
    return bytes(data)
