"""Conversations in exports of claude.ai and ChatGPT: converted to lines of our archives, and imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from conversations.api.parsers import parse_json
from conversations.api.transfer_formats import FORMAT
from conversations.archives import chatgpt, claude_ai
from conversations.archives.conversation_part import Converted, take_converted
from conversations.archives.foreign_files import ForeignFiles
from conversations.archives.loose_json import Object, with_whole_characters
from conversations.archives.parts import Entry, Importing, Take
from conversations.database import persistently
from conversations.models import ArchiveImport

Converter = Callable[[Object, str, ForeignFiles], dict[str, object]]

VALUES_LIMIT = 2_000_000
"""The maximal number of JSON values in a conversation: other platforms write many that are not needed."""

CONVERTERS: Mapping[str, Converter] = {
    ArchiveImport.Source.CLAUDE_AI: claude_ai.convert,
    ArchiveImport.Source.CHATGPT: chatgpt.convert,
}


def take_from(source: str) -> Take:
    """Return the function that imports the entries of another platform's archive."""
    convert = partial(_converted, CONVERTERS[source])

    async def take(importing: Importing, entries: Sequence[Entry]) -> None:
        await persistently(take_converted, importing, entries, convert)

    return take


def _converted(converter: Converter, importing: Importing, text: bytes) -> Converted:
    entry = parse_json(with_whole_characters(text), VALUES_LIMIT)
    files = ForeignFiles(importing)
    return Converted(converter(entry, FORMAT, files), files.notes)
