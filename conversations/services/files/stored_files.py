"""The bytes of attachments in the storage, under their SHA-256.

The storage may be a bucket far away, or a disk that is slow for seconds. So nothing here runs within a transaction,
whose locks others would wait for; whoever tries gets a RuntimeError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, default_storage
from django.db import connection

from conversations.errors import ClaudeError


def save(path: str, data: bytes) -> None:
    """Keep bytes under a path, if they are not there yet."""
    storage = _storage()
    if not storage.exists(path):
        storage.save(path, ContentFile(data))


def save_file(path: str, file: IO[bytes]) -> None:
    """Keep what is in an open file under a path, without having it in memory."""
    _storage().save(path, File(file))


def opened(path: str) -> IO[bytes]:
    """Return the file under a path, open. Raises ClaudeError where it is missing."""
    try:
        return _storage().open(path)
    except FileNotFoundError:
        raise _missing(path) from None


def names_in(folder: str) -> list[str]:
    """Return the names of the files in a folder of the storage, which may not be there."""
    try:
        return _storage().listdir(folder)[1]
    except FileNotFoundError:
        return []


def read(path: str) -> bytes:
    """Return the bytes under a path. Raises ClaudeError where they are missing."""
    try:
        with _storage().open(path) as file:
            return bytes(file.read())
    except FileNotFoundError:
        raise _missing(path) from None


def _missing(path: str) -> ClaudeError:
    return ClaudeError(f"A file of this conversation is missing in the platform's storage: {path}.", type="api_error")


def remove(path: str) -> None:
    """Remove the bytes under a path, if they are there."""
    _storage().delete(path)


@contextmanager
def locked(sha256: str) -> Iterator[None]:
    """Let nobody else keep or remove the bytes with this hash meanwhile. Nobody waits for it who has no such bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [sha256])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [sha256])


def _storage() -> Storage:
    if connection.in_atomic_block:
        raise RuntimeError("The storage must not be waited for within a transaction.")
    return default_storage
