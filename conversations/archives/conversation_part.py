"""Conversations in archives: each is a line with all of its messages, in the format of a single export."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rest_framework import serializers

from conversations import clock
from conversations.api.error_responses import translate
from conversations.api.parsers import parse_json
from conversations.api.renderers import JSONRenderer
from conversations.api.serializer_fields import Boolean, StrictSerializer, String
from conversations.api.serializers import moment
from conversations.api.transfer_formats import (
    FORMAT,
    MESSAGES_LIMIT,
    VALUES_LIMIT,
    ExportedConversationSerializer,
    ExportedMessageSerializer,
)
from conversations.archives.parts import Entry, Importing, Part
from conversations.database import persistently
from conversations.errors import ColloquyError
from conversations.models import Conversation, Message, User
from conversations.models.conversation import ORIGIN_LENGTH
from conversations.services import conversation_import, imports
from conversations.services.conversation_import import OWN, Checked
from conversations.services.transfers import Export, Exported, exported_fields, exported_messages

CONVERSATIONS_AT_ONCE = 50
MESSAGES_AT_ONCE = 200
REFUSALS = (ColloquyError, serializers.ValidationError, ValueError)
"""The errors of an invalid entry."""
NOT_FIELDS = ("origin", "created_at", "updated_at")
"""The fields of a line besides those that a client may set."""

_renderer = JSONRenderer()


class ArchivedFieldsSerializer(ExportedConversationSerializer):
    archived = Boolean(required=False)
    origin = String(required=False, allow_null=True, max_length=ORIGIN_LENGTH)
    created_at = serializers.DateTimeField(required=False)
    updated_at = serializers.DateTimeField(required=False)


class ArchivedMessageSerializer(ExportedMessageSerializer):
    origin = String(required=False, allow_null=True, max_length=ORIGIN_LENGTH)


class ArchivedConversationSerializer(StrictSerializer):
    """A line of an archive."""

    format = serializers.ChoiceField([FORMAT])
    id = String(max_length=ORIGIN_LENGTH - len(OWN))
    conversation = ArchivedFieldsSerializer()
    active_leaf = String(max_length=100, allow_null=True, required=False)
    messages = serializers.ListField(child=ArchivedMessageSerializer(), max_length=MESSAGES_LIMIT)


def lines(user: User) -> Iterator[bytes]:
    """Yield a user's own conversations, the oldest first, each as pieces of a line."""
    own = Conversation.objects.filter(owner=user).order_by("pk")
    last = None
    while some := list((own.filter(pk__gt=last) if last else own)[:CONVERSATIONS_AT_ONCE]):
        for conversation in some:
            yield from _line(user, conversation)
        last = some[-1].pk


def _line(user: User, conversation: Conversation) -> Iterator[bytes]:
    """Yield a conversation as pieces of a line, with only a page of its messages in memory."""
    fields = {
        **exported_fields(conversation),
        "archived": conversation.archived,
        "origin": conversation.origin,
        "created_at": moment(conversation.created_at),
        "updated_at": moment(conversation.updated_at),
    }
    leaf = str(conversation.active_leaf_id) if conversation.active_leaf_id else None
    head = {"format": FORMAT, "id": str(conversation.pk), "conversation": fields, "active_leaf": leaf}
    yield _renderer.render(head)[:-1] + b',"messages":['
    between = b""
    for page in _pages(conversation):
        for exported in exported_messages(user, page):
            yield between + _renderer.render(_shown(exported))
            between = b","
    yield b"]}\n"


def _pages(conversation: Conversation) -> Iterator[list[Message]]:
    """Yield the messages of a conversation in pages, parents before children."""
    all, last = Message.objects.filter(conversation=conversation).order_by("pk"), None
    while page := list((all.filter(pk__gt=last) if last else all)[:MESSAGES_AT_ONCE]):
        yield page
        last = page[-1].pk


def _shown(exported: Exported) -> dict[str, object]:
    return {**vars(exported), "created_at": moment(exported.created_at)}


async def take(importing: Importing, entries: Sequence[Entry]) -> None:
    """Import conversations from lines."""
    await persistently(take_converted, importing, entries, _as_it_is)


@dataclass(frozen=True)
class Converted:
    """A conversation as a line of our archives, with notes."""

    line: object
    notes: Sequence[str] = ()
    """Notes on what was left out of the conversation."""


def _as_it_is(importing: Importing, text: bytes) -> Converted:
    return Converted(parse_json(text, VALUES_LIMIT))


def take_converted(
    importing: Importing, entries: Sequence[Entry], convert: Callable[[Importing, bytes], Converted]
) -> None:
    """Import conversations, in one transaction: existing ones get their new messages. Not within another one.

    `convert` makes a line of our archives from an entry's text, which is then validated like any import.
    """
    tally = imports.Tally(done=len(entries))
    several, at = [], clock.now()
    for entry in entries:
        try:
            converted = convert(importing, entry.text)
            checked = _checked(importing, converted.line, at)
        except REFUSALS as error:
            tally.fail(entry.place, told(error))
            continue
        several.append(checked)
        for note in converted.notes:
            tally.note(f"{entry.place} ({checked.conversation.title})", note)
    with imports.step(importing.job) as sums:
        known = conversation_import.find_known(importing.owner, several)
        stored = conversation_import.store_all(owner=importing.owner, several=several, known=known)
        vars(sums).update({**vars(tally), **vars(stored)})


def _checked(importing: Importing, line: object, at: datetime) -> Checked:
    """Return the validated conversation of a line. Raise one of `REFUSALS`."""
    data = ArchivedConversationSerializer.checked_values(line)
    fields = dict(data["conversation"])
    export = Export(
        fields={name: value for name, value in fields.items() if name not in NOT_FIELDS},
        messages=[Exported(**message) for message in data["messages"]],
        active_leaf=data.get("active_leaf"),
        stored=importing.attachments,
        origin=fields.get("origin") or OWN + data["id"],
        created_at=fields.get("created_at"),
        updated_at=fields.get("updated_at"),
    )
    return conversation_import.check(owner=importing.owner, export=export, at=at)


def told(error: Exception) -> str:
    """Return the message to the user about an invalid entry."""
    ours = translate(error)
    return ours.message if ours else str(error)


CONVERSATIONS = Part("conversations.jsonl", lines, take)
