"""Detecting the platform that an archive is from, and which of its files can be imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

from conversations.api.parsers import parse_json
from conversations.archives import claude_projects
from conversations.archives.foreign_part import VALUES_LIMIT, take_from
from conversations.archives.loose_json import object_in, text_in, with_whole_characters
from conversations.archives.parts import FORMAT, MANIFEST, Importing, Take, parts
from conversations.archives.zip_file import Archive
from conversations.errors import InvalidRequest
from conversations.models import ArchiveImport

CONVERSATIONS = re.compile(r"conversations(-\d+)?\.jsonl?")
"""The names of the files that claude.ai and ChatGPT put conversations into; newer exports divide them."""
KEYS = {"mapping": ArchiveImport.Source.CHATGPT, "chat_messages": ArchiveImport.Source.CLAUDE_AI}
"""The fields by which conversations of each platform are recognised."""
LOOKED_AT = 20  # first conversations, one of which has to be recognised
MANIFEST_LIMIT = 1 << 20  # bytes

NOT_TAKEN: Mapping[str, str] = {
    "memories.json": "What Claude remembered of you is left out.",
    "group_chats.json": "Group chats are left out.",
    "message_feedback.json": "Feedback on messages is left out.",
}
"""Files of other platforms with user data that can't be imported."""


@dataclass(frozen=True)
class Task:
    """Files of an archive, and the function that imports their entries."""

    names: Sequence[str]
    take: Take


def source_of(archive: Archive) -> str:
    """Return the platform that an archive is from. Raise InvalidRequest if it is not recognised."""
    if MANIFEST in archive.names:
        _check_manifest(archive)
        return ArchiveImport.Source.COLLOQUY
    for entry in _first_conversations(archive):
        for key, source in KEYS.items():
            if key in entry:
                return source
    nested = any(name.lower().endswith(".zip") for name in archive.names)
    raise InvalidRequest(
        "There are no conversations in the file. Accepted are the archive of GET /api/me/export/, and the ZIP that "
        "claude.ai or ChatGPT sends, or its conversations.json."
        + (" The archive has another one in it: send that one." if nested else "")
    )


def tasks_of(archive: Archive, source: str) -> list[Task]:
    """Return the import tasks, in order."""
    if source == ArchiveImport.Source.COLLOQUY:
        return [Task([part.file], part.take) for part in parts() if part.take]
    return [Task(_conversation_files(archive), take_from(source))]


def left_out(importing: Importing, counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the files of an archive that can't be imported, each with its place and a note.

    `counts` has the number of entries in each file.
    """
    if importing.job.source == ArchiveImport.Source.COLLOQUY:
        yield from _missing(importing.archive, counts)
        return
    for name, told in NOT_TAKEN.items():
        if any(found == name for found, _ in importing.base_names):
            yield name, told
    yield from claude_projects.left_out(importing.projects)


def _missing(archive: Archive, counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the files of our own archive that have fewer entries than its manifest says."""
    told = object_in(parse_json(archive.read(MANIFEST, MANIFEST_LIMIT)), "lines")
    for name, count in counts.items():
        lines = told.get(name)
        if isinstance(lines, int) and lines > count:
            yield name, f"{lines - count} of the {lines} entries that {MANIFEST} tells of are missing."


def _check_manifest(archive: Archive) -> None:
    try:
        manifest = parse_json(archive.read(MANIFEST, MANIFEST_LIMIT))
    except ValueError as error:
        raise InvalidRequest(f"{MANIFEST}: {error}") from None
    if text_in(manifest, "format") != FORMAT:
        raise InvalidRequest(f"{MANIFEST}: The format must be {FORMAT}: this is the archive of something else.")


def _conversation_files(archive: Archive) -> list[str]:
    """Return the files with conversations in the least nested folders, in order."""
    named = [name for name in archive.names if CONVERSATIONS.fullmatch(PurePosixPath(name).name)]
    least = min((name.count("/") for name in named), default=0)
    return sorted(name for name in named if name.count("/") == least)


def _first_conversations(archive: Archive) -> Iterator[dict[str, object]]:
    found = (text for name in _conversation_files(archive) for text in archive.elements(name))
    for text in islice(found, LOOKED_AT):
        try:
            entry = parse_json(with_whole_characters(text), VALUES_LIMIT)
        except ValueError:
            continue  # the import itself reports the error
        if isinstance(entry, dict):
            yield entry
