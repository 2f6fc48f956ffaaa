"""Attachments in archives: a line for each, and its bytes in a file that is named by their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from rest_framework import serializers

from conversations.api.parsers import parse_json
from conversations.api.renderers import JSONRenderer
from conversations.api.serializer_fields import StrictSerializer, String
from conversations.archives.conversation_part import REFUSALS, told
from conversations.archives.parts import Entry, Importing, Part
from conversations.archives.zip_file import Archive
from conversations.database import persistently
from conversations.errors import ClaudeError, InvalidRequest
from conversations.models import Attachment, User
from conversations.services import imports
from conversations.services.files import attachments

FILE = "attachments.jsonl"
FILES = "files/"
SIZE_LIMIT = 32 << 20  # bytes, as for uploads
AT_ONCE = 500

_renderer = JSONRenderer()


class ArchivedAttachmentSerializer(StrictSerializer):
    """A line about an attachment. What its bytes are is found out anew."""

    id = String(max_length=100)
    sha256 = serializers.RegexField(r"\A[0-9a-f]{64}\Z")
    media_type = String(max_length=100)
    size = serializers.IntegerField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)


FIELDS = ("sha256", "media_type", "size", "width", "height")


def _owned(user: User) -> Iterator[Attachment]:
    own, last = Attachment.objects.filter(owner=user).order_by("pk"), None
    while some := list((own.filter(pk__gt=last) if last else own)[:AT_ONCE]):
        yield from some
        last = some[-1].pk


def lines(user: User) -> Iterator[bytes]:
    """Yield a line for each of a user's attachments."""
    for each in _owned(user):
        yield _renderer.render({"id": str(each.pk), **{name: getattr(each, name) for name in FIELDS}}) + b"\n"


def files(user: User) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the names and the bytes of a user's files, except those that are missing in the storage."""
    for each in _owned(user):
        yield FILES + each.sha256, _bytes(each)


def _bytes(attachment: Attachment) -> Iterator[bytes]:
    try:
        yield attachments.read_bytes(attachment)
    except ClaudeError:
        return


async def take(importing: Importing, entries: Sequence[Entry]) -> None:
    """Store attachments from an archive. Equal bytes are the same attachment."""
    await persistently(_take, importing, entries)


def _take(importing: Importing, entries: Sequence[Entry]) -> None:
    tally = imports.Tally(done=len(entries))
    for entry in entries:
        try:
            line = ArchivedAttachmentSerializer.checked_values(parse_json(entry.text))
            stored = _stored(importing, line)
            importing.attachments[line["id"]] = str(stored.pk)
        except REFUSALS as error:
            tally.fail(entry.place, told(error))
    with imports.step(importing.job) as sums:
        vars(sums).update(vars(tally))


def _stored(importing: Importing, line: Mapping[str, str]) -> Attachment:
    name = FILES + line["sha256"]
    data = importing.archive.read(name, SIZE_LIMIT) if name in importing.archive.names else b""
    if hashlib.sha256(data).hexdigest() != line["sha256"]:
        raise InvalidRequest(f"{name}: The file is missing, or is another one.")
    return attachments.store(owner=importing.owner, data=data, declared=line["media_type"])


def find_stored(importing: Importing, archive: Archive) -> None:
    """Map the names of attachments in an archive to those that its owner already has."""
    own = dict(Attachment.objects.filter(owner=importing.owner).values_list("sha256", "pk"))
    for text in archive.elements(FILE) if FILE in archive.names else ():
        try:
            line = ArchivedAttachmentSerializer.checked_values(parse_json(text))
        except REFUSALS:
            continue  # its own part reports it
        if line["sha256"] in own:
            importing.attachments[line["id"]] = str(own[line["sha256"]])


ATTACHMENTS = Part(FILE, lines, take, files)
