"""Projects in exports of claude.ai: names, instructions, and the parts that can't be imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from conversations.api.parsers import parse_json
from conversations.archives.loose_json import objects_in, text_in, with_whole_characters
from conversations.archives.zip_file import Archive
from conversations.errors import InvalidRequest

FILES = re.compile(r"(?:[^/]+/)?(?:projects\.json|projects/[^/]+\.json)")
"""Older exports have all projects in one file, newer ones each in its own."""
VALUES_LIMIT = 100_000  # of one project
NAMED = 5  # left-out documents that the report names


@dataclass(frozen=True)
class Project:
    """The parts of a project that conversations here can use."""

    id: str
    name: str
    instructions: str
    documents: tuple[str, ...]
    """The names of its files."""


@dataclass
class Projects:
    """The projects of an archive."""

    by_id: dict[str, Project] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    """Why a file with projects could not be read, by its name."""


def projects_in(archive: Archive) -> Projects:
    """Return the projects of an archive. Unreadable projects do not prevent the import of conversations."""
    found = Projects()
    for name in sorted(name for name in archive.names if FILES.fullmatch(name)):
        try:
            for text in archive.elements(name):
                project = _project(parse_json(with_whole_characters(text), VALUES_LIMIT))
                found.by_id[project.id] = project
        except InvalidRequest as error:
            found.unread[name] = error.message
        except ValueError as error:
            found.unread[name] = str(error)
    return found


def left_out(projects: Projects) -> Iterator[tuple[str, str]]:
    """Yield the parts of projects that are not imported, each with its place and a note."""
    for name, complaint in projects.unread.items():
        yield name, f"The projects in it are left out: {complaint}"
    for project in projects.by_id.values():
        if project.documents:
            yield (
                f"projects ({project.name or project.id})",
                f"Its documents are left out: {_listed(project.documents)}.",
            )


def _listed(documents: Sequence[str]) -> str:
    more = len(documents) - NAMED
    return ", ".join(documents[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _project(entry: object) -> Project:
    documents = tuple(text_in(each, "filename") or "without a name" for each in objects_in(entry, "docs"))
    return Project(text_in(entry, "uuid"), text_in(entry, "name"), text_in(entry, "prompt_template").strip(), documents)
