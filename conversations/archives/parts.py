"""The parts of archives: what each app exports of a user, and how it imports that again.

COLLOQUY_ARCHIVE_PARTS lists the apps' parts (config/settings.py). They are exported and imported in that order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from django.conf import settings
from django.utils.module_loading import import_string

from conversations.archives.claude_projects import Projects, projects_in
from conversations.archives.zip_file import Archive
from conversations.models import ArchiveImport, User

FORMAT = "colloquy-archive/1"
MANIFEST = "manifest.json"
FACTS = "facts/"
"""The folder of information that is never imported, such as usage: it belongs to the exporting platform."""


@dataclass(frozen=True)
class Entry:
    """One object of an archive, unparsed."""

    place: str
    """Its file and number, for error messages."""
    text: bytes


@dataclass
class Importing:
    """A running import, with the state that its parts share."""

    job: ArchiveImport
    archive: Archive
    attachments: dict[str, str] = field(default_factory=dict)
    """The ids of the owner's attachments, by their names in the archive."""

    @property
    def owner(self) -> User:
        """Return the user who imports."""
        return self.job.owner

    @cached_property
    def base_names(self) -> list[tuple[str, str]]:
        """Return the names of the archive's files without their folders, each with the full name, sorted."""
        return sorted((PurePosixPath(name).name, name) for name in self.archive.names)

    @cached_property
    def projects(self) -> Projects:
        """Return the projects of claude.ai in the archive."""
        return projects_in(self.archive)


Take = Callable[[Importing, Sequence[Entry]], Awaitable[None]]
"""Imports some entries, in one step of `services.imports`. One that can't be imported is noted there.

Where it raises, nothing of the entries was imported, and each is tried by itself.
"""


@dataclass(frozen=True)
class Part:
    """A file of JSON lines in our archives."""

    file: str
    lines: Callable[[User], Iterator[bytes]]
    """Yields what it has of a user: whole lines, or pieces of them. It holds no transaction while it is not asked."""
    take: Take | None = None
    """Without it, the part is not imported."""
    files: Callable[[User], Iterator[tuple[str, Iterator[bytes]]]] | None = None
    """Yields names and bytes of files that the lines speak of."""


def parts() -> list[Part]:
    """Return the parts of all apps, in their order."""
    return [part for named in settings.COLLOQUY_ARCHIVE_PARTS for part in import_string(named)]


def entries(archive: Archive, names: Sequence[str]) -> Iterator[Entry]:
    """Yield the objects in those of the files that exist. Raise InvalidRequest."""
    for name in names:
        if name in archive.names:
            for number, text in enumerate(archive.elements(name), 1):
                yield Entry(f"{name}:{number}", text)
