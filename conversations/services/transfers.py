"""Whole conversations, copied: forked, exported and taken in again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from conversations.claude import event_shapes
from conversations.content import block_checks, history, json_checks, sources
from conversations.content.folding import CALLS
from conversations.contract.wire import Block, Source
from conversations.errors import InvalidRequest, MalformedAnswer
from conversations.models import Attachment, Conversation, Feedback, Message, Right, User
from conversations.services.conversations import create_in_transaction
from conversations.services.files import attachment_owners, attachments
from conversations.services.turns import message_paths
from conversations.services.turns.answer_storage import searchable_text

AT_ONCE = 50  # messages in one statement, which is held several times over on its way to the server

USERS = block_checks.KINDS.keys() - {"text"}
"""The kinds of blocks that only a user sends."""


def fork(*, user: User, id: uuid.UUID | str, message: uuid.UUID) -> Conversation:
    """Create a conversation of the user's own with the path up to a message and the same settings.

    Files are not copied; somebody else's become attachments of the user's with the same bytes.
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
        return _with_leaf(forked, copies[-1].pk)


@dataclass(frozen=True)
class Exported:
    """A message on its way from one conversation to another; its ids mean something only among the others."""

    id: str
    parent: str | None
    role: str
    content: list[Block]
    stop_reason: str | None = None
    created_at: datetime | None = None
    feedback: Mapping[str, object] | None = None
    """The owner's rating and comment."""


@dataclass(frozen=True)
class Export:
    """All of a conversation but what running it left behind: the turns' transcripts, and the ledger's rows."""

    fields: Mapping[str, object]
    """Title, metadata, tags and settings, as for `conversations.create`."""
    messages: list[Exported]
    active_leaf: str | None = None
    attachments: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Media type and base64, by the id that the messages name."""


def export(*, user: User, id: uuid.UUID | str) -> Export:
    """Return everything that `import_conversation` needs to make the same conversation somewhere else."""
    conversation = Conversation.objects.get_open(user, id, Right.READ)
    shown = Attachment.objects.filter(shown_in__message__conversation=conversation).distinct()
    given = Feedback.objects.filter(message__conversation=conversation, user=user)
    feedback = {each.message_id: {"rating": each.rating, "comment": each.comment} for each in given}
    return Export(
        fields={
            "title": conversation.title,
            "metadata": conversation.metadata,
            "tags": conversation.tags,
            **conversation.settings,
        },
        messages=[
            Exported(
                id=str(message.pk),
                parent=str(message.parent_id) if message.parent_id else None,
                role=message.role,
                content=message.content,
                stop_reason=message.stop_reason,
                created_at=message.created_at,
                feedback=feedback.get(message.pk),
            )
            for message in conversation.messages.order_by("id")
        ],
        active_leaf=str(conversation.active_leaf_id) if conversation.active_leaf_id else None,
        attachments={
            str(each.pk): (each.media_type, block_checks.base64_encoded(attachments.read_bytes(each))) for each in shown
        },
    )


def import_conversation(*, owner: User, export: Export) -> Conversation:
    """Create a conversation out of an export. Raises InvalidRequest for what no conversation could be like."""
    contents = [_content(owner, each, export, f"messages.{at}") for at, each in enumerate(export.messages)]
    with transaction.atomic(durable=True):
        conversation = create_in_transaction(owner=owner, fields=export.fields)
        rows = _messages(conversation, export.messages, contents)
        if export.active_leaf is not None and export.active_leaf not in rows:
            raise InvalidRequest.at("active_leaf", "Must be the id of one of the messages, or null.")
        attachments.lock_attachments(owner=owner, blocks=[block for blocks in contents for block in blocks])
        Message.objects.bulk_create(rows.values(), batch_size=AT_ONCE)
        attachments.link_to_messages(rows.values())
        Feedback.objects.bulk_create(
            Feedback(message=rows[each.id], user=owner, **each.feedback) for each in export.messages if each.feedback
        )
        _date(rows, export.messages)
        return _with_leaf(conversation, rows[export.active_leaf].pk if export.active_leaf else None)


def _messages(conversation: Conversation, messages: list[Exported], contents: list[list[Block]]) -> dict[str, Message]:
    """Return the messages of an export, not stored yet, by their ids in it. Raises InvalidRequest if they make no tree.

    `contents` is what each says, as it is stored here.
    """
    rows: dict[str, Message] = {}
    called: set[str] = set()
    for index, (each, blocks) in enumerate(zip(messages, contents, strict=True)):
        path = f"messages.{index}"
        if each.id in rows or (each.parent is not None and each.parent not in rows):
            raise InvalidRequest.at(path, "Must have an id of its own, and as parent null or an earlier id.")
        if each.parent is None and (each.role != Message.Role.USER or history.only_results(blocks)):
            raise InvalidRequest.at(path, "Without a parent it must be a question: no answer, and no results.")
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if len({*called, *calls}) < len(called) + len(calls):
            raise InvalidRequest.at(path, "Must not have a `tool_use` block with the id of another one.")
        called.update(calls)
        rows[each.id] = Message(
            conversation=conversation,
            parent_id=rows[each.parent].pk if each.parent is not None else None,
            role=each.role,
            content=blocks,
            text=searchable_text(blocks),
            stop_reason=each.stop_reason,
        )
    return rows


def _content(owner: User, message: Exported, export: Export, path: str) -> list[Block]:
    """Return what the message says, as it is stored here. Claude's own blocks are kept as they are, whatever they are.

    Raises InvalidRequest or UnsupportedMediaType for blocks that are malformed, before anything is made of them.
    """
    path = f"{path}.content"
    if message.role == Message.Role.ASSISTANT:
        json_checks.check_depth(message.content, path)
        for index, block in enumerate(message.content):
            _check_answer(block, f"{path}.{index}")
        return message.content
    if not message.content:
        return []

    def put_in(source: Source) -> Source:
        return _exported_file(source["attachment"], export, path) if source["type"] == "attachment" else source

    block_checks.checked_blocks(message.content, path)
    return attachments.store_sources(
        owner=owner, blocks=block_checks.checked_blocks(sources.with_sources(message.content, put_in), path)
    )


def _exported_file(id: str, export: Export, path: str) -> Source:
    """Return the source of a file that comes with the export."""
    if id not in export.attachments:
        raise InvalidRequest(f"attachments: {id} is missing, which {path} names.", details={path: "attachment"})
    media_type, data = export.attachments[id]
    if media_type != "text/plain":
        return {"type": "base64", "media_type": media_type, "data": data}
    try:
        return {"type": "text", "media_type": media_type, "data": block_checks.base64_decoded(data).decode()}
    except UnicodeDecodeError:
        raise InvalidRequest.at(
            f"attachments.{id}.data", "Must be UTF-8, since its media_type is text/plain."
        ) from None


def _check_answer(block: Block, path: str) -> None:
    """Raise InvalidRequest for what Claude would not say, and so would not take as said by itself.

    Kinds not known yet are its own.
    """
    kind = block.get("type")
    if not isinstance(kind, str) or kind in USERS:
        raise InvalidRequest.at(
            f"{path}.type", "Must be a kind of block that Claude says, in a message of the assistant."
        )
    if kind in CALLS and "input" not in block:
        raise InvalidRequest.at(f"{path}.input", "This field is required.")
    try:
        event_shapes.as_shape(event_shapes.shape_of_block(kind), block, path)
    except MalformedAnswer as error:
        raise InvalidRequest.at(path, error.message) from None


def _date(rows: dict[str, Message], messages: Iterable[Exported]) -> None:
    """Set the times at which things were said: creating the rows has dated them today."""
    dated = [(rows[each.id], each.created_at) for each in messages if each.created_at]
    for row, at in dated:
        row.created_at = at
    Message.objects.bulk_update([row for row, _ in dated], ["created_at"], batch_size=1000)


def _with_leaf(conversation: Conversation, leaf: uuid.UUID | None) -> Conversation:
    conversation.active_leaf_id = leaf
    conversation.save(update_fields=["active_leaf"])
    return conversation
