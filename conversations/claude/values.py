"""What Claude's stream carries, as values that can be stored."""

from __future__ import annotations

import json
from typing import Any

import orjson

from conversations.errors import StreamCut


def parse_event(data: bytes) -> dict[str, Any]:
    """An event's JSON. Raises StreamCut where it is no object: only a broken line is not."""
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        event = _parse_oddity(data)
    if not isinstance(event, dict):
        raise StreamCut
    return event


def _parse_oddity(data: bytes) -> Any:
    """Half a surrogate pair is JSON, but no text that could be stored: U+FFFD takes its place."""
    try:
        return _without_surrogates(json.loads(data.decode(), parse_constant=_refuse))
    except (ValueError, RecursionError):
        raise StreamCut from None


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value
