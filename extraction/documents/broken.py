"""Refusing files whose parser fails, with the same words whatever the parser raises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from conversations.errors import UnsupportedMediaType


@contextmanager
def refuse_if_broken(kind: str, format: str) -> Iterator[None]:
    """Raise UnsupportedMediaType for whatever a parser raises within the block, except a lack of memory.

    `kind` ("document") and `format` ("Word (.docx)") name the file in the message. The parser and its errors are not
    named: they mean nothing to the sender of the file. A lack of memory has to end the process.
    """
    try:
        yield
    except (UnsupportedMediaType, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - parsers raise errors of any kind on a file that is not in their format
        raise UnsupportedMediaType(f"The {kind} is broken: it can't be read as {format}.") from None
