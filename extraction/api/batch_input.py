"""Parsing the input of batches: JSON, JSON lines, or a form with files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

from conversations.api.parsers import parse_json
from conversations.api.serializer_fields import check_given_once
from conversations.api.uploads import declared_type
from conversations.content.block_checks import checked_blocks
from conversations.content.json_checks import check_text
from conversations.contract.wire import Block, Source
from conversations.errors import InvalidRequest, TooLarge
from conversations.exact_json import dumps
from conversations.models import User
from conversations.services.files import attachments
from extraction.api.batch_serializers import BatchSettingsSerializer
from extraction.api.serializers import SchemaField
from extraction.documents.sources import READ
from extraction.services.batches import NewItem

ITEMS_LIMIT = 100_000
LINE_LIMIT = 32 * 1024 * 1024  # bytes
KEY_LIMIT = 255  # characters
JSON_LINES = "application/x-ndjson"
FIELDS = {"key", "content"}


@dataclass(frozen=True)
class BatchInput:
    """What a request asks for: the settings of a batch, still to be checked, and its items one by one."""

    settings: Mapping[str, object]
    items: Iterable[Any]
    """Each `{"key", "content"}`, still to be checked, or an uploaded file."""


@dataclass(frozen=True)
class Lines:
    """The body of a request as JSON values, read line by line."""

    stream: IO[bytes]

    def __iter__(self) -> Iterator[object]:
        """Yield the value of each line that is not empty. Raise ParseError with the number of an invalid line."""
        number = 0
        while line := self.stream.readline(LINE_LIMIT + 1):
            number += 1
            if len(line) > LINE_LIMIT:
                raise TooLarge(f"Line {number} has more than {LINE_LIMIT} bytes.")
            if line.strip():
                try:
                    yield parse_json(line)
                except ValueError as error:
                    raise ParseError(f"Line {number}: {error}") from None


class JsonLinesParser(BaseParser):
    """Parses JSON lines on demand; they are never in memory as a whole."""

    media_type = JSON_LINES

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Any:
        """Return the body as `Lines`, unread."""
        return Lines(stream)


def input_of(request: Request, query: Mapping[str, object]) -> BatchInput:
    """Return a request's input, of any content type. Raise InvalidRequest, or ParseError.

    The settings of JSON lines are in the query, or in an object on the first line, which has no `key`.
    """
    data = request.data
    if isinstance(data, Lines):
        return _of_lines(iter(data), query)
    if isinstance(data, QueryDict):
        return _of_form(data, query)
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        raise InvalidRequest("items: Must be a list.", details={"items": "Must be a list."})
    return BatchInput(_settings(query, {name: data[name] for name in data if name != "items"}), data["items"])


def _settings(query: Mapping[str, object], body: Mapping[str, object]) -> dict[str, object]:
    """Return the merged settings of query and body. Raise InvalidRequest for contradictions."""
    for name in sorted(query.keys() & body.keys()):
        if query[name] != body[name]:
            raise InvalidRequest.at(name, "Is given twice: in the query and, with another value, in the body.")
    return {**query, **body}


def _of_lines(lines: Iterator[object], query: Mapping[str, object]) -> BatchInput:
    first = next(lines, None)
    if isinstance(first, dict) and "key" not in first and "content" not in first:
        return BatchInput(_settings(query, first), lines)

    def all() -> Iterator[object]:
        if first is not None:
            yield first
        yield from lines

    return BatchInput(query, all())


def _of_form(form: QueryDict, query: Mapping[str, object]) -> BatchInput:
    """Return a form's input: its files are the items, under any field names; other fields are settings.

    Raises ValidationError for a setting that is given twice.
    """
    files = [each for _, found in form.lists() for each in found if isinstance(each, UploadedFile)]
    texts = MultiValueDict({name: found for name, found in form.lists() if isinstance(found[-1], str)})
    check_given_once(texts)
    declared = BatchSettingsSerializer().fields
    settings = {name: _meant(declared.get(name), str(text)) for name, text in texts.items()}
    return BatchInput(_settings(query, settings), files)


def _meant(field: object, text: str) -> object:
    """Convert a form's text to a field's value: the text itself, or the JSON in it if the field's type is not text."""
    if isinstance(field, serializers.CharField | serializers.ChoiceField):
        return text
    try:
        value = parse_json(text, exact=True)
    except ValueError:
        return text
    named = isinstance(field, SchemaField) and not isinstance(value, dict)  # any word may be a name: "true", "7"
    return text if named else value


def items_of(user: User, found: BatchInput, digest: Callable[[str, object], None]) -> Iterator[NewItem]:
    """Yield the validated items of a batch, with attachments in place of base64.

    `digest` is called with the key and the unchanged content of each. Raise InvalidRequest with the number of an
    invalid item, and the errors of `attachments.store_sources`.
    """
    for number, raw in enumerate(found.items):
        if number >= ITEMS_LIMIT:
            raise TooLarge(f"A batch may have at most {ITEMS_LIMIT} items.")
        if isinstance(raw, UploadedFile):
            key, content = _check_key(raw.name, number), [_block_of(user, raw)]
            digest(key, content)
        else:
            key, blocks = _checked(raw, number)
            digest(key, raw["content"])
            content = attachments.store_sources(owner=user, blocks=blocks, documents=READ)
        yield NewItem(key, number, content)


def _checked(raw: object, number: int) -> tuple[str, list[Block]]:
    path = f"items.{number}"
    if not isinstance(raw, dict) or raw.keys() != FIELDS:
        raise InvalidRequest.at(path, "Must be an object with `key` and `content`, and nothing else.")
    blocks = checked_blocks(raw["content"], f"{path}.content", READ)
    if any(block["type"] == "tool_result" for block in blocks):
        raise InvalidRequest.at(f"{path}.content", "Must not have tool_result blocks.")
    return _check_key(raw["key"], number), blocks


def _check_key(key: object, number: int) -> str:
    path = f"items.{number}.key"
    if not isinstance(key, str) or not 1 <= len(key) <= KEY_LIMIT:
        raise InvalidRequest.at(path, f"Must be a string of 1 to {KEY_LIMIT} characters.")
    check_text(key, path)
    return key


def _block_of(user: User, file: UploadedFile[bytes]) -> Block:
    """Return a content block of an uploaded file, stored as an attachment."""
    declared = declared_type(file)
    attachment = attachments.store(owner=user, data=file.read(), declared=declared)
    kind = "image" if attachment.media_type.startswith("image/") else "document"
    source: Source = {"type": "attachment", "attachment": str(attachment.pk), "media_type": declared}
    return attachments.store_sources(owner=user, blocks=[{"type": kind, "source": source}], documents=READ)[0]


class Digest:
    """A digest that is equal for two requests only if they would create the same batch."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._hash = hashlib.sha256(dumps(dict(settings), sort_keys=True).encode())

    def add(self, key: str, content: object) -> None:
        """Add an item to the digest."""
        self._hash.update(dumps([key, content], sort_keys=True).encode())

    def __str__(self) -> str:
        """Return the digest in hexadecimal."""
        return self._hash.hexdigest()


PARSERS = (JsonLinesParser, MultiPartParser)
