"""Opening archives from outside safely: nothing is unpacked to disk, and everything is checked."""

from __future__ import annotations

import codecs
import stat
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import IO, cast

from conversations.archives.json_elements import elements, values
from conversations.errors import InvalidRequest

ENTRIES_LIMIT = 100_000
SIZE_LIMIT = 4 << 30  # bytes that all files together have when they are unpacked
RATIO_LIMIT = 200  # how many times larger than its part of the archive a large file may be
LARGE = 10 << 20  # bytes
NAME_LIMIT = 500  # characters
ENCRYPTED = 0x1  # a flag of an entry
KNOWN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)
"""The errors that the library raises for a damaged archive, or a file that is not an archive."""
BEGINNING = 64  # bytes, by which a JSON document is told from an archive
BARE = "conversations.json"
"""The name in messages of a document that is not an archive."""


class Archive:
    """The files of a ZIP archive by name; or a single JSON document, under the name `BARE`."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read the list of files. Raise InvalidRequest for a damaged or malicious archive."""
        self._file = file
        file.seek(0)
        begins = file.read(BEGINNING).removeprefix(codecs.BOM_UTF8).lstrip()[:1]
        self._zip = None if begins in (b"{", b"[") else _opened(file)
        self._entries = _checked(self._zip.infolist()) if self._zip else {}
        self.names: Collection[str] = self._entries.keys() if self._zip else (BARE,)

    def open(self, name: str) -> IO[bytes]:
        """Open a file of the archive for reading. Raise InvalidRequest if it is damaged."""
        if self._zip is None:
            self._file.seek(0)
            return self._file
        try:
            return cast("IO[bytes]", _Member(self._zip.open(self._entries[name]), name))
        except DAMAGED as error:
            raise InvalidRequest(f"{name}: The archive is damaged there: {error}") from None

    def read(self, name: str, limit: int) -> bytes:
        """Return the bytes of a file. Raise InvalidRequest if it is damaged, or has more than `limit` bytes."""
        data = self.open(name).read(limit + 1)
        if len(data) > limit:
            raise InvalidRequest(f"{name}: It has more than {limit} bytes, the maximum.")
        return data

    def elements(self, name: str) -> Iterator[bytes]:
        """Yield the objects of a JSON file, or of a file of JSON lines. Raises InvalidRequest."""
        return elements(self.open(name), name)

    def values(self, name: str) -> Iterator[bytes]:
        """Yield the objects as `elements` does, and all other values in their place. Raise InvalidRequest."""
        return values(self.open(name), name)


class _Member:
    """A file of an archive, which converts the library's errors to InvalidRequest."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        try:
            return self._file.read(size)
        except DAMAGED as error:
            raise InvalidRequest(f"{self._name}: The archive is damaged there: {error}") from None


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except DAMAGED:
        raise InvalidRequest(
            "The file is neither a ZIP archive that can be read, nor the JSON of an export: send what was downloaded."
        ) from None


def _checked(entries: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Return the files of an archive by their names, without folders. Raises InvalidRequest."""
    if len(entries) > ENTRIES_LIMIT:
        raise InvalidRequest(f"The archive has {len(entries)} files; at most {ENTRIES_LIMIT} are allowed.")
    for entry in entries:
        _check(entry)
    size = sum(entry.file_size for entry in entries)
    if size > SIZE_LIMIT:
        raise InvalidRequest(
            f"The archive is {size} bytes large when it is unpacked; at most {SIZE_LIMIT} are allowed."
        )
    placed = sorted(entries, key=lambda entry: entry.header_offset)
    if any(one.header_offset + one.compress_size > other.header_offset for one, other in pairwise(placed)):
        raise InvalidRequest("The archive has files that overlap: no program writes it so.")
    files = {entry.filename: entry for entry in entries if not entry.is_dir()}
    if len(files) < sum(not entry.is_dir() for entry in entries):
        raise InvalidRequest("The archive has two files of the same name.")
    return files


def _check(entry: zipfile.ZipInfo) -> None:
    complaint = _complaint(entry)
    if complaint:
        raise InvalidRequest(f"{entry.filename[:NAME_LIMIT]!r}: {complaint}")


def _complaint(entry: zipfile.ZipInfo) -> str:
    """Return why an entry of an archive is refused; empty if it is not."""
    name = PurePosixPath(entry.filename)
    if len(entry.filename) > NAME_LIMIT or not entry.filename.isprintable() or "\\" in entry.filename:
        return "A file in the archive can't have such a name."
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        return "The name of a file leads out of the archive."
    if entry.flag_bits & ENCRYPTED:
        return "The archive is encrypted: send it without a password."
    if entry.compress_type not in KNOWN_METHODS:
        return "The archive uses an unsupported compression: make it a plain ZIP (deflate)."
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "Links in archives are not followed."
    if entry.file_size > LARGE and entry.file_size > RATIO_LIMIT * max(1, entry.compress_size):
        return "The file is compressed too much: archives that expand this far are not unpacked."
    return ""
