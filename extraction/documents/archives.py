"""Checking office files, as the ZIP archives that they are, before anything is unpacked."""

from __future__ import annotations

import io
import zipfile

from conversations.errors import UnsupportedMediaType

MOST_MEMBERS = 10_000
MOST_BYTES = 256 * 1024 * 1024  # unpacked
PROLOGUE = 4096  # bytes of an XML file in which a document type would be declared
BROKEN = (zipfile.BadZipFile, KeyError, OSError, ValueError, EOFError, NotImplementedError)


def check(data: bytes) -> None:
    """Refuse an archive that is broken, encrypted, too large unpacked, or whose XML has a document type declaration.

    Raises UnsupportedMediaType.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_members(archive)
    except BROKEN:
        raise UnsupportedMediaType("The file is broken: it can't be unpacked.") from None


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise UnsupportedMediaType(f"The file has {len(members)} parts; it may have {MOST_MEMBERS}.")
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise UnsupportedMediaType(f"The file has more than {MOST_BYTES} bytes when it is unpacked.")
    for member in members:
        if member.flag_bits & 1:
            raise UnsupportedMediaType("The file is encrypted: it needs a password.")
        if member.filename.endswith((".xml", ".rels")):
            with archive.open(member) as part:
                if b"<!DOCTYPE" in part.read(PROLOGUE):
                    raise UnsupportedMediaType(f"The file's {member.filename[:100]} has a document type: none is read.")
