"""Files and projects in archives of other platforms, which conversations refer to."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import PurePosixPath

from conversations.archives.claude_projects import Project
from conversations.archives.parts import Importing
from conversations.content.block_checks import IMAGE_BASE64_LIMIT
from conversations.content.media import CLAUDES_DOCUMENTS, IMAGE_TYPES, identify
from conversations.contract.wire import Block
from conversations.errors import ColloquyError
from conversations.services.files import attachments

SIZE_LIMIT = 32 << 20  # bytes, as for uploads
LEAST = 6  # characters of an id by which a file is looked for
KINDS = IMAGE_TYPES | CLAUDES_DOCUMENTS
"""The types of files that a message may show."""


class ForeignFiles:
    """The files and projects that a conversation refers to, and notes on what can't be imported."""

    def __init__(self, importing: Importing) -> None:
        self._importing = importing
        self.notes: list[str] = []

    def project(self, id: str) -> Project | None:
        """Return the project of a conversation of claude.ai; None if the archive does not have it."""
        return self._importing.projects.by_id.get(id)

    def block(self, ids: Sequence[str], name: str) -> Block:
        """Return a block with a file, which becomes an attachment; or else a text about the missing file.

        `ids` are possible prefixes of its name in the archive; `name` is the user's name for it.
        """
        name = name or "without a name"
        found = next((found for id in ids if (found := self._find(id))), None)
        if found is None:
            return self._missing(name, "is not in the archive")
        try:
            return self._stored(found, name)
        except ColloquyError as error:
            return self._missing(name, f"could not be imported: {error.message}")

    def _find(self, id: str) -> str | None:
        """Return the first file in the archive whose name begins with one of these texts."""
        names = self._importing.base_names
        at = bisect_left(names, (id, ""))
        found = len(id) >= LEAST and at < len(names) and names[at][0].startswith(id)
        return names[at][1] if found else None

    def _stored(self, path: str, name: str) -> Block:
        data = self._importing.archive.read(path, SIZE_LIMIT)
        media_type = identify(data).media_type
        image = media_type in IMAGE_TYPES
        if media_type not in KINDS or (image and len(data) > IMAGE_BASE64_LIMIT * 3 // 4):
            return self._missing(name, f"can't be shown to Claude ({media_type}, {len(data)} bytes)")
        id = str(attachments.store(owner=self._importing.owner, data=data).pk)
        self._importing.attachments[id] = id
        kind: Block = {"type": "image"} if image else {"type": "document", "title": PurePosixPath(name).name}
        return {**kind, "source": {"type": "attachment", "attachment": id}}

    def _missing(self, name: str, why: str) -> Block:
        self.notes.append(f"The file {name} {why}; a text says so in its place.")
        return {"type": "text", "text": f"[File: {name}, which {why}]"}
