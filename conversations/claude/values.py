"""Converting values in Claude's stream to storable ones. Pure."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import orjson

from conversations.errors import MalformedAnswer
from conversations.json_types import JSONObject

DEPTH_LIMIT = 100
"""The maximal nesting of an event, which has to be stored, sent on and exported."""

SHOWN = 80  # characters of unreadable data that an error quotes
MESSAGE_LIMIT = 2000  # characters of an error's message: some servers send a page
LONE = re.compile("[\ud800-\udfff]")
ERROR_TYPE = re.compile("[!-~]{1,100}")


def parse(data: bytes) -> JSONObject:
    """Return the JSON object in `data`; lone surrogates are kept, since their other halves may follow.

    Raises MalformedAnswer for anything else: no JSON, NaN and infinities, no object.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _parse_oddity(data)
    if not isinstance(value, dict):
        raise MalformedAnswer(f"an event is no JSON object: {excerpt(data)}")
    return value


def _parse_oddity(data: bytes) -> Any:
    """Parse with `json` what orjson refuses: lone surrogates are valid JSON."""
    try:
        return json.loads(data.decode(), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise MalformedAnswer(f"an event is not JSON: {excerpt(data)}") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(digits)
    return number


def excerpt(data: bytes) -> str:
    """Return the beginning of unreadable bytes, for an error's message."""
    text = data[: 4 * SHOWN].decode(errors="replace").strip()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def is_whole(text: str) -> bool:
    """Return whether a string has no surrogates, and so can be encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def whole(text: str) -> str:
    """Return the text with surrogate pairs joined to characters, and U+FFFD in place of lone surrogates."""
    return text if is_whole(text) else LONE.sub("\ufffd", _joined(text))


def whole_json(text: str) -> str:
    """Return a piece of JSON text with surrogate pairs joined, and lone ones escaped: so the JSON stays invalid."""
    return text if is_whole(text) else LONE.sub(lambda half: f"\\u{ord(half[0]):04x}", _joined(text))


def _joined(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def storable(value: Any) -> Any:
    """Return a JSON value with all its strings `whole`. Raises MalformedAnswer where it is nested too deep."""
    try:
        text = orjson.dumps(value)  # which takes no halves of surrogate pairs
    except orjson.JSONEncodeError:
        return _storable(value, 0)
    return value if text.count(b"{") + text.count(b"[") <= DEPTH_LIMIT else _storable(value, 0)


def _storable(value: object, depth: int) -> object:
    if depth > DEPTH_LIMIT:
        raise MalformedAnswer(f"an event is nested deeper than {DEPTH_LIMIT}")
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {whole(key): _storable(item, depth + 1) for key, item in value.items()}
    return value


def error_type(value: object) -> str:
    """Return the type of an error of Claude's; `api_error` if it has none that fits the column."""
    return value if isinstance(value, str) and ERROR_TYPE.fullmatch(value) else "api_error"


def error_message(value: object) -> str:
    """Return the message of an error of Claude's in storable form; empty if there is none."""
    return whole(value)[:MESSAGE_LIMIT] if isinstance(value, str) else ""
