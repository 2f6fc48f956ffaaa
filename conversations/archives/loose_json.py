"""Reading JSON of other platforms field by field, without assumptions about its shape. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

Object = Mapping[str, object]

NOTHING: Object = MappingProxyType({})
# A surrogate pair, a lone surrogate, or any other escape.
ESCAPES = re.compile(rb"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|.)")


def object_in(value: object, name: str) -> Object:
    """Return the object in a field; an empty one if there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else NOTHING


def objects_in(value: object, name: str) -> Iterator[Object]:
    """Yield the objects of the list in a field."""
    found = value.get(name) if isinstance(value, Mapping) else None
    yield from (each for each in found if isinstance(each, Mapping)) if isinstance(found, list) else ()


def text_in(value: object, name: str) -> str:
    """Return the text in a field, in storable form; empty if there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found.replace("\0", "") if isinstance(found, str) else ""


def time_in(value: object, name: str) -> str | None:
    """Return the time in a field, given in ISO 8601 or in seconds since 1970, as ISO 8601; None if there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    try:
        if isinstance(found, str):
            moment = datetime.fromisoformat(found)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        elif isinstance(found, int | float) and not isinstance(found, bool):
            moment = datetime.fromtimestamp(found, UTC)
        else:
            return None
        return moment.astimezone(UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def with_whole_characters(text: bytes) -> bytes:
    """Return a JSON text without lone surrogates, which programs produce that cut texts."""
    return ESCAPES.sub(lambda found: rb"\ufffd" if found[1] else found[0], text) if b"\\ud" in text.lower() else text
