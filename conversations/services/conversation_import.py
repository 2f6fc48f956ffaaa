"""Importing conversations: validated like all external input, and stored by COPY."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from conversations import clock
from conversations.claude import event_shapes
from conversations.content import block_checks, history, json_checks, sources
from conversations.content.folding import CALLS
from conversations.contract.wire import Block, Source
from conversations.database import copy_in
from conversations.errors import InvalidRequest, MalformedAnswer
from conversations.models import Conversation, Feedback, Message, User
from conversations.services import conversations
from conversations.services.files import attachments
from conversations.services.transfers import Export, Exported
from conversations.services.turns.answer_storage import searchable_text

CONVERSATION = (
    *("id", "owner", "title", "settings", "metadata", "tags", "archived", "temporary", "active_leaf"),
    *("origin", "imported_at", "created_at", "updated_at"),
)
MESSAGE = ("id", "conversation", "parent", "role", "content", "text", "stop_reason", "origin", "created_at")
"""The columns that are written for each row."""


@dataclass(frozen=True)
class Checked:
    """A validated conversation of an export."""

    conversation: Conversation
    """The new conversation, not stored yet."""
    messages: list[Exported]
    """The messages, with their content as it is stored here."""
    at: datetime
    """The time of the import."""
    active_leaf: str | None = None


@dataclass
class Known:
    """An existing conversation, with the ids of its messages by their keys."""

    conversation: Conversation
    messages: dict[str, uuid.UUID]


@dataclass
class Stored:
    """The results of storing conversations."""

    conversations: int = 0
    messages: int = 0
    skipped: int = 0


def import_conversation(*, owner: User, export: Export) -> Conversation:
    """Create a conversation from an export. Raise InvalidRequest if it is invalid."""
    checked = check(owner=owner, export=export, at=clock.now())
    with transaction.atomic(durable=True):
        store_all(owner=owner, several=[checked], known={})
    return checked.conversation


def check(*, owner: User, export: Export, at: datetime) -> Checked:
    """Validate an export, and store its files as attachments; not within a transaction.

    `at` is the database's time, used as the time of the import and for all times that the export lacks. Raise
    InvalidRequest or UnsupportedMediaType for an invalid conversation.
    """
    conversation = _unsaved(owner, export, at)
    messages = [
        Exported(**{**vars(each), "content": _content(owner, each, export, f"messages.{number}")})
        for number, each in enumerate(export.messages)
    ]
    _check_tree(messages, export.active_leaf)
    return Checked(conversation, messages, at, export.active_leaf)


def _unsaved(owner: User, export: Export, at: datetime) -> Conversation:
    conversation = conversations.unsaved(owner=owner, fields=export.fields)
    conversation.imported_at = at
    conversation.created_at = export.created_at or at
    conversation.updated_at = export.updated_at or at
    conversation.origin = export.origin
    return conversation


def store_all(*, owner: User, several: Iterable[Checked], known: Mapping[str, Known]) -> Stored:
    """Store validated conversations; an existing one with the same origin gets its new messages.

    Within the caller's transaction. Raise NotFound if an attachment was deleted meanwhile.
    """
    made: list[Conversation] = []
    messages: list[Message] = []
    feedback: list[Feedback] = []
    stored, here = Stored(), dict(known)
    for each in several:
        origin = each.conversation.origin
        found = here.get(origin) if origin else None
        added = _rows(each, found)
        if found is None:
            made.append(each.conversation)
        if origin and found is None:
            here[origin] = Known(each.conversation, {key: row.pk for key, row in added.items()})
        stored.conversations += bool(added) or found is None
        stored.skipped += not added and found is not None
        messages += added.values()
        feedback += _feedback(owner, each.messages, added)
    stored.messages = len(messages)
    _store(owner, made, messages, feedback)
    return stored


def _store(owner: User, made: list[Conversation], messages: list[Message], feedback: list[Feedback]) -> None:
    showing = [each for each in messages if sources.has_sources(each.content)]
    attachments.lock_attachments(owner=owner, blocks=[block for each in showing for block in each.content])
    copy_in(made, CONVERSATION)
    copy_in(messages, MESSAGE)
    attachments.link_to_messages(showing)
    Feedback.objects.bulk_create(feedback)


def _rows(checked: Checked, known: Known | None) -> dict[str, Message]:
    """Return the messages to add, by their keys, and set the active leaf of their conversation."""
    conversation = known.conversation if known else checked.conversation
    ids = dict(known.messages) if known else {}
    by_export: dict[str, uuid.UUID] = {}
    added: dict[str, Message] = {}
    for each in checked.messages:
        if each.key not in ids:
            parent = by_export[each.parent] if each.parent is not None else None
            row = _row(conversation, each, parent, checked.at)
            row.origin = each.key if checked.conversation.origin is not None else None  # identifies it in later imports
            added[each.key] = row
            ids[each.key] = row.pk
        by_export[each.id] = ids[each.key]
    leaf = by_export[checked.active_leaf] if checked.active_leaf is not None else None
    if known is None:
        conversation.active_leaf_id = leaf
    elif added:
        _go_on(conversation, leaf, [id for id in by_export.values() if id != leaf])
        known.messages.update(ids)
    return added


def _row(conversation: Conversation, exported: Exported, parent: uuid.UUID | None, at: datetime) -> Message:
    """Return an unsaved message; its time is `at` if the export has none."""
    return Message(
        conversation=conversation,
        parent_id=parent,
        role=exported.role,
        content=exported.content,
        text=searchable_text(exported.content),
        stop_reason=exported.stop_reason,
        created_at=exported.created_at or at,
    )


def _go_on(conversation: Conversation, leaf: uuid.UUID | None, exported: Collection[uuid.UUID]) -> None:
    """Activate the newest imported message of an existing conversation, unless its owner has continued it here.

    `exported` are the messages of the export, except its leaf.
    """
    if leaf is not None and conversation.active_leaf_id in {*exported, None}:
        conversation.active_leaf_id = leaf
        Conversation.objects.filter(pk=conversation.pk).update(active_leaf=leaf)


def _feedback(owner: User, messages: Iterable[Exported], added: Mapping[str, Message]) -> list[Feedback]:
    given = [(added[each.key], each.feedback) for each in messages if each.feedback and each.key in added]
    return [Feedback(message=row, user=owner, **said) for row, said in given]


def _check_tree(messages: Sequence[Exported], active_leaf: str | None) -> None:
    """Raise InvalidRequest for messages that are no tree, or whose tool calls are ambiguous."""
    known: set[str] = set()
    for index, each in enumerate(messages):
        path = f"messages.{index}"
        if each.id in known or (each.parent is not None and each.parent not in known):
            raise InvalidRequest.at(
                path, "Must have a unique id, and null or the id of an earlier message as its parent."
            )
        if each.parent is None and (each.role != Message.Role.USER or history.only_results(each.content)):
            raise InvalidRequest.at(path, "A message without a parent must be a user's question, without tool results.")
        calls = [block["id"] for block in each.content if block["type"] == "tool_use"]
        if len(set(calls)) < len(calls):
            raise InvalidRequest.at(path, "Must not have a `tool_use` block with the id of another one.")
        known.add(each.id)
    if active_leaf is not None and active_leaf not in known:
        raise InvalidRequest.at("active_leaf", "Must be the id of one of the messages, or null.")


def find_known(owner: User, several: Collection[Checked]) -> dict[str, Known]:
    """Return an owner's existing conversations with the origins of the validated ones.

    An origin `colloquy/<id>` is also that of the conversation with this id itself. Within the caller's transaction; the
    rows are locked, so that nobody adds to them meanwhile.
    """
    origins = [each.conversation.origin for each in several if each.conversation.origin]
    own = Conversation.objects.filter(owner=owner).select_for_update(no_key=True).order_by("pk")
    rows = {str(row.origin): row for row in own.filter(origin__in=origins)}
    rows.update({f"{OWN}{row.pk}": row for row in own.filter(pk__in=_own_ids(origins))})
    found = {origin: Known(row, {}) for origin, row in rows.items()}
    of = {row.pk: found[origin] for origin, row in rows.items()}
    messages = Message.objects.filter(conversation__in=of).values_list("conversation", "pk", "origin")
    for conversation, id, origin in messages:
        of[conversation].messages[origin or str(id)] = id
    return found


OWN = "colloquy/"
"""The prefix of origins of this platform's exports, before the id."""


def _own_ids(origins: Iterable[str]) -> list[uuid.UUID]:
    found = []
    for origin in origins:
        try:
            found.append(uuid.UUID(origin.removeprefix(OWN)))
        except ValueError:
            continue
    return found


def _content(owner: User, message: Exported, export: Export, path: str) -> list[Block]:
    """Return the content of a message in stored form. Claude's own blocks are kept unchanged.

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
        return _exported_file(source, export, path) if source["type"] == "attachment" else source

    block_checks.checked_blocks(message.content, path)
    return attachments.store_sources(
        owner=owner, blocks=block_checks.checked_blocks(sources.with_sources(message.content, put_in), path)
    )


def _exported_file(named: Source, export: Export, path: str) -> Source:
    """Return the source of a file that is part of the export, or is an attachment already."""
    id = named["attachment"]
    if id in export.stored:
        return {**named, "attachment": export.stored[id]}
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
    """Raise InvalidRequest for blocks that Claude would not send, and so would not accept in its own answers.

    Unknown kinds of blocks count as Claude's own.
    """
    kind = block.get("type")
    if not isinstance(kind, str) or kind in block_checks.ONLY_ASKED:
        raise InvalidRequest.at(
            f"{path}.type", "Must be a block that Claude can produce, since the message's role is assistant."
        )
    if kind in CALLS and "input" not in block:
        raise InvalidRequest.at(f"{path}.input", "This field is required.")
    try:
        event_shapes.as_shape(event_shapes.shape_of_block(kind), block, path)
    except MalformedAnswer as error:
        raise InvalidRequest.at(path, error.message) from None
