"""Storing images and documents: the bytes once in the storage, by their hash, and a row for each user who has them.

They are removed by services/files/attachment_removal.py.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Container, Iterable, Sequence

from django.db.models import Q
from django.db.models.functions import Now

from conversations.content import block_checks, sources
from conversations.content.media import CLAUDES_DOCUMENTS, PDF, PLAIN, TEXTUAL, identify
from conversations.contract.wire import Block, Request, Source
from conversations.contract.wire import Message as ClaudeMessage
from conversations.errors import ClaudeError, InvalidRequest, NotFound, TooLarge, UnsupportedMediaType
from conversations.models import Attachment, Conversation, Message, MessageAttachment, User
from conversations.services.files import stored_files
from conversations.services.files.attachment_owners import attachment_source, source_of
from conversations.services.files.pdf_checks import check_opens

MOST_IMAGES = 600  # in a request (claude-api.md 6)
MOST_IMAGES_SMALL = 100  # for a context window of 200,000 tokens
MANY = 20  # images, above which each has to be smaller
SIDE = 2000  # pixels
REQUEST_LIMIT = 32 * 1024 * 1024  # bytes (claude-api.md 5)


def store(*, owner: User, data: bytes, declared: str = "") -> Attachment:
    """Return a user's attachment with these bytes: an existing one, or a new one.

    `declared` is the media type that the sender gives; see `identify`.

    Not within a transaction: writing the bytes may take seconds. The row is written before them, so that they are
    removed as unused if the caller fails; a row whose bytes are missing gets them at the next upload. Raise
    UnsupportedMediaType for unsupported types, or a PDF that can't be opened.
    """
    identified = identify(data, declared)
    sha256 = hashlib.sha256(data).hexdigest()
    if identified.media_type == PDF and not Attachment.objects.filter(sha256=sha256).exists():
        check_opens(data)
    with stored_files.locked(sha256):
        attachment, new = Attachment.objects.get_or_create(
            owner=owner,
            sha256=sha256,
            defaults={
                "media_type": identified.media_type,
                "size": len(data),
                "width": identified.width,
                "height": identified.height,
            },
        )
        if not new:  # so that it does not count as unused for long
            Attachment.objects.filter(pk=attachment.pk).update(created_at=Now())
        stored_files.save(attachment.path, data)
    return attachment


def store_sources(
    *,
    owner: User,
    blocks: Sequence[Block],
    documents: Container[str] = CLAUDES_DOCUMENTS,
    reader: User | None = None,
) -> list[Block]:
    """Return validated blocks with the owner's attachments in place of base64 and of shared attachments.

    `documents` are the allowed media types of a document; for text, the declared type is kept. `reader` is the user who
    refers to the attachments, if not the owner. Not within a transaction, like `store`; the transaction that refers to
    them calls `lock_attachments`. Raise NotFound for attachments that the reader may not read, InvalidRequest or
    UnsupportedMediaType for one that can't be used at its place.
    """

    def take(source: Source) -> Source:
        declared = source.get("media_type", "")
        if source["type"] == "base64":
            kept = source_of(store(owner=owner, data=base64.b64decode(source["data"]), declared=declared))
        else:
            kept = attachment_source(reader or owner, source, owner)
        textual = kept.get("media_type") == PLAIN and declared in TEXTUAL and declared in documents
        return {**kept, "media_type": declared} if textual else kept

    kept = [each for index, block in enumerate(blocks) for each in _stored(block, f"content.{index}.source", take)]
    sources.check_attachments(kept, documents=documents)
    check_images(kept)
    return kept


def store_for_conversation(conversation: Conversation, by: User, blocks: Sequence[Block]) -> list[Block]:
    """Return a user's content for a conversation, with attachments of its owner. As `store_sources`."""
    return store_sources(owner=conversation.owner, reader=by, blocks=blocks)


def _stored(block: Block, path: str, take: Callable[[Source], Source]) -> list[Block]:
    """Return a block with its sources stored. Raise UnsupportedMediaType with the place of an unsupported file."""
    try:
        return sources.with_sources([block], take)
    except UnsupportedMediaType as error:
        raise UnsupportedMediaType(f"{path}: {error.message}", details={path: error.message}) from None


def lock_attachments(*, owner: User | uuid.UUID, blocks: Sequence[Block]) -> None:
    """Lock the attachments in the blocks, so that they are not removed as unused before they are referred to.

    Raises NotFound where one is gone.
    """
    ids = sources.attachments_in(blocks)
    known = Attachment.objects.filter(owner=owner, pk__in=ids).order_by("pk")
    if len(known.select_for_update(no_key=True).values_list("pk")) < len(ids):
        raise NotFound(
            "An attachment in the content does not exist, or belongs to another user: upload the file again."
        )


def check_images(blocks: Sequence[Block], most: int = MOST_IMAGES) -> None:
    """Refuse too many or too large images for one request (claude-api.md 6), by InvalidRequest."""
    images = sources.images_in(blocks)
    if not images:
        return
    ids = [source["attachment"] for source in images if source.get("type") == "attachment"]
    known = Attachment.objects.filter(pk__in=ids)
    if len(images) > most:
        raise InvalidRequest(
            f"There are {len(images)} images on the way to this message; a request to Claude may have {most}."
        )
    if len(images) > MANY and (large := known.filter(Q(width__gt=SIDE) | Q(height__gt=SIDE)).first()):
        raise InvalidRequest(
            f"With more than {MANY} images in a conversation none may be over {SIDE} x {SIDE} pixels.",
            details={"attachment": str(large.pk), "width": large.width, "height": large.height},
        )
    if heavy := known.filter(size__gt=block_checks.IMAGE_BASE64_LIMIT * 3 // 4).first():
        raise InvalidRequest(
            f"The image has {heavy.size} bytes, which as base64 are more than {block_checks.IMAGE_BASE64_LIMIT}.",
            details={"attachment": str(heavy.pk), "size": heavy.size},
        )


def check_weight(blocks: Sequence[Block]) -> None:
    """Refuse attachments that together exceed a request, since each is sent again every time, by TooLarge."""
    weights: list[int] = []

    def weigh(source: Source) -> Source:
        size = source.get("size", 0)
        weights.append(size if source.get("media_type") == "text/plain" else 4 * -(-size // 3))
        return source

    sources.with_sources(with_sizes(blocks), weigh)
    if (weight := sum(weights)) > REQUEST_LIMIT:
        raise TooLarge(
            f"The files on the way to this message have {weight} bytes; a request to Claude may have {REQUEST_LIMIT}.",
            details={"size": weight, "limit": REQUEST_LIMIT},
        )


def link_to_messages(messages: Iterable[Message]) -> None:
    """Record which attachments the stored messages of one conversation contain: those of its owner.

    Users who may read a message may read its linked attachments.
    """
    shown = [(message, id) for message in messages for id in sources.attachments_in(message.content)]
    if not shown:
        return
    theirs = Attachment.objects.filter(owner__conversations=shown[0][0].conversation_id)
    found = theirs.filter(pk__in={id for _, id in shown}).select_for_update(no_key=True, of=("self",))
    # An attachment in a tool's result may have been deleted; the turn has to end all the same.
    known = set(found.values_list("pk", flat=True))
    MessageAttachment.objects.bulk_create(
        MessageAttachment(message=message, attachment_id=id) for message, id in shown if uuid.UUID(id) in known
    )


def with_paths(blocks: Sequence[Block]) -> list[Block]:
    """Add the storage's paths of attachments to stored blocks, for `with_bytes`."""
    named = sources.attachments_in(blocks)
    found = {str(id): each for id, each in Attachment.objects.in_bulk(named).items()} if named else {}

    def locate(source: Source) -> Source:
        if source.get("type") != "attachment":
            return source
        each = found.get(source["attachment"])
        if each is None:
            raise ClaudeError(
                f"The attachment {source['attachment']}, which this conversation shows, is not there any more.",
                type="api_error",
            )
        return {**source, "media_type": each.media_type, "path": each.path}

    return sources.with_sources(blocks, locate)


def with_bytes(blocks: Sequence[Block]) -> list[Block]:
    """Return blocks from `with_paths` in Claude's form. This reads the storage, and not the database."""
    return sources.with_base64(blocks, lambda source: (source["media_type"], stored_files.read(source["path"])))


def needs_bytes(request: Request) -> bool:
    """Return whether a Messages request has files that are still to be read."""
    return any(sources.attachments_in(each["content"]) for each in request["messages"])


def request_with_bytes(request: Request) -> Request:
    """Return a Messages request with its files' bytes, as `with_bytes`."""
    messages: list[ClaudeMessage] = [{**each, "content": with_bytes(each["content"])} for each in request["messages"]]
    return {**request, "messages": messages}


def as_claude_takes(blocks: Sequence[Block]) -> list[Block]:
    """Return stored blocks in Claude's form."""
    return with_bytes(with_paths(blocks))


def with_sizes(blocks: Sequence[Block]) -> list[Block]:
    """Return stored blocks with the sizes of attachments, in bytes, in place of their data."""
    named = sources.attachments_in(blocks)
    found = Attachment.objects.in_bulk(named) if named else {}
    sizes = {str(id): each for id, each in found.items()}

    def measure(source: Source) -> Source:
        if source.get("type") != "attachment" or source["attachment"] not in sizes:
            return source
        each = sizes[source["attachment"]]
        return {"type": "base64", "media_type": each.media_type, "size": each.size}

    return sources.with_sources(blocks, measure)


def read_bytes(attachment: Attachment) -> bytes:
    """Return the attachment's bytes. Raise ClaudeError if they are missing."""
    return stored_files.read(attachment.path)
