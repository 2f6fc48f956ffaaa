"""Streaming an archive: a ZIP that is created while it is sent, with bounded memory."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime

from zipstream import ZipStream

from conversations.api.later import Stream
from conversations.api.renderers import JSONRenderer
from conversations.archives.parts import FORMAT, MANIFEST, parts
from conversations.database import in_database
from conversations.errors import ColloquyError
from conversations.models import User

AT_ONCE = 256 * 1024  # bytes that are collected before they are sent


def stream(user: User) -> Stream:
    """Return a response body with all data of a user. If an error cuts it, it is not a readable ZIP."""
    name = f"colloquy-{datetime.now(UTC):%Y-%m-%d}.zip"
    headers = {"content-type": "application/zip", "content-disposition": f'attachment; filename="{name}"'}
    return Stream(_sent(_archive(user)), headers, _nothing)


def _nothing(error: ColloquyError) -> bytes:
    return b""


async def _sent(made: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield an archive in parts of a certain size. No thread and no connection is held while one is sent."""
    while part := await in_database(_next, made):
        yield part


def _next(made: Iterator[bytes]) -> bytes:
    taken, size = [], 0
    for piece in made:
        taken.append(piece)
        size += len(piece)
        if size >= AT_ONCE:
            break
    return b"".join(taken)


def _archive(user: User) -> Iterator[bytes]:
    """Yield the bytes of a user's archive. The manifest is the last file, since it has the counts of all others."""
    archive = ZipStream(compress_type=zipfile.ZIP_STORED)  # most attachments are compressed already
    counts: dict[str, int] = {}
    for part in parts():
        archive.add(_counted(part.lines(user), part.file, counts), part.file, compress_type=zipfile.ZIP_DEFLATED)
        yield from archive.all_files()
        for name, data in part.files(user) if part.files else ():
            archive.add(data, name)
            yield from archive.all_files()
    archive.add(_manifest(user, counts), MANIFEST)
    yield from archive.all_files()
    yield from archive.finalize()


def _counted(lines: Iterator[bytes], name: str, counts: dict[str, int]) -> Iterator[bytes]:
    """Yield lines, and count them."""
    counts[name] = 0
    for piece in lines:
        counts[name] += piece.endswith(b"\n")
        yield piece


def _manifest(user: User, counts: dict[str, int]) -> bytes:
    written = {
        "format": FORMAT,
        "created_at": datetime.now(UTC),
        "user": {"id": str(user.pk), "username": user.username},
        "lines": counts,
    }
    return JSONRenderer().render(written)
