"""Owners of attachments: an attachment that a user may read is copied for the user whose conversation refers to it.

So a message refers only to attachments of its conversation's owner, and a user can be deleted with all their data.
"""

from __future__ import annotations

from collections.abc import Sequence

from conversations.content import sources
from conversations.contract.wire import Block, Source
from conversations.models import Attachment, User
from conversations.services.files import stored_files


def attachment_source(reader: User, source: Source, owner: User | None = None) -> Source:
    """Return a source of an attachment that a user may read, with its type; other sources unchanged.

    With `owner` it is one of theirs, with the same bytes. Raise NotFound.
    """
    if source["type"] != "attachment":
        return source
    found = Attachment.objects.readable_by(reader).get_by_id(source["attachment"])
    return source_of(adopted(found, owner) if owner else found)


def adopted(attachment: Attachment, owner: User) -> Attachment:
    """Return an owner's attachment with the same bytes: this one, an existing one, or a new one.

    Raises NotFound where this one is gone.
    """
    if attachment.owner_id == owner.pk:
        return attachment
    with stored_files.locked(attachment.sha256):
        found = Attachment.objects.get_by_id(attachment.pk)
        same = {name: getattr(found, name) for name in ("media_type", "size", "width", "height")}
        return Attachment.objects.get_or_create(owner=owner, sha256=found.sha256, defaults=same)[0]


def source_of(attachment: Attachment) -> Source:
    return {"type": "attachment", "attachment": str(attachment.pk), "media_type": attachment.media_type}


def with_adopted(blocks: Sequence[Block], owner: User) -> list[Block]:
    """Return stored blocks with attachments replaced by those of an owner with the same bytes.

    For blocks that the owner may read. References to deleted attachments stay unchanged.
    """

    def take(source: Source) -> Source:
        named = source["attachment"] if source.get("type") == "attachment" else None
        found = Attachment.objects.filter(pk=named).first() if named else None
        return {**source, "attachment": str(adopted(found, owner).pk)} if found else source

    return sources.with_sources(blocks, take)
