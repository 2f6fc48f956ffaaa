"""The bytes of attachments in the storage, under their SHA-256.

The storage may be a remote bucket, or a disk that is slow for seconds. So nothing here may run within a transaction,
whose locks others would wait for: it would raise a RuntimeError.
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
    """Store bytes under a path, unless it exists."""
    storage = _storage()
    if not storage.exists(path):
        storage.save(path, ContentFile(data))


def save_file(path: str, file: IO[bytes]) -> None:
    """Store an open file under a path, without reading it into memory."""
    _storage().save(path, File(file))


def opened(path: str) -> IO[bytes]:
    """Open the file under a path. Raise ClaudeError if it is missing."""
    try:
        return _storage().open(path)
    except FileNotFoundError:
        raise _missing(path) from None


def names_in(folder: str) -> list[str]:
    """Return the names of the files in a folder of the storage, which may not exist."""
    try:
        return _storage().listdir(folder)[1]
    except FileNotFoundError:
        return []


def read(path: str) -> bytes:
    """Return the bytes under a path. Raise ClaudeError if they are missing."""
    try:
        with _storage().open(path) as file:
            return bytes(file.read())
    except FileNotFoundError:
        raise _missing(path) from None


def _missing(path: str) -> ClaudeError:
    return ClaudeError(f"A file of this conversation is missing in the platform's storage: {path}.", type="api_error")


def remove(path: str) -> None:
    """Remove the file under a path, if it exists."""
    _storage().delete(path)


@contextmanager
def locked(sha256: str) -> Iterator[None]:
    """Lock the bytes with this hash against concurrent storing and removing."""
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
