"""Checking that JSON from outside can be stored and encoded again. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from conversations.errors import InvalidRequest
from conversations.exact_json import DEPTH_LIMIT

INTEGER_LIMIT = 2**63
PATH_LIMIT = 500  # characters of the place of a complaint


def check_text(value: object, path: str) -> None:
    """Refuse JSON that can't be stored or sent: NUL, lone surrogates, huge integers, extreme nesting."""
    flaw = _flaw(value, 0)
    if flaw:
        keys, complaint = flaw
        raise InvalidRequest.at(".".join([path, *reversed(keys)]).lstrip(".")[:PATH_LIMIT], complaint)


def _flaw(value: object, depth: int) -> tuple[list[str], str] | None:
    """Return the first error of a JSON value, and the keys that lead to it, innermost first.

    Paths are built only for errors: keys may be long, and would be repeated for every nested value.
    """
    if depth > DEPTH_LIMIT:
        return [], f"Must not be nested more than {DEPTH_LIMIT} deep."
    if isinstance(value, str):
        return ([], "Must not contain NUL or half surrogate pairs.") if _unstorable(value) else None
    if isinstance(value, int) and not -INTEGER_LIMIT <= value < INTEGER_LIMIT:
        return [], "Integers must fit into 64 bits."
    if isinstance(value, float) and not math.isfinite(value):
        return [], "Must be a finite number."
    pairs: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        if any(map(_unstorable, value)):
            return [], "Keys must not contain NUL or half surrogate pairs."
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, each in pairs:
        if flaw := _flaw(each, depth + 1):
            flaw[0].append(str(key))
            return flaw
    return None


def _unstorable(text: str) -> bool:
    try:
        return b"\0" in text.encode()
    except UnicodeEncodeError:
        return True


def check_depth(value: object, path: str, depth: int = 0) -> None:
    """Refuse JSON that is nested too deeply to be encoded again. Claude's content has no other restriction."""
    if depth > DEPTH_LIMIT:
        raise InvalidRequest.at(path, f"Must not be nested more than {DEPTH_LIMIT} deep.")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        check_depth(each, path, depth + 1)
