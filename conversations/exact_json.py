"""JSON whose numbers keep their digits. Pure.

Numbers with a fraction or an exponent are read as Decimals and written with the same digits: as floats,
12345678901234567.89 and 12345678901234567.90 are equal, and 19.99 is not a multiple of 0.01.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import simplejson

from conversations.json_types import JSON

DEPTH_LIMIT = 100
"""The maximal nesting of JSON from outside, up to which all libraries in use can write it again."""

TOO_DEEP = "The JSON is nested too deep."


class Repeating(dict[str, JSON]):
    """An object some of whose keys occur more than once in the text; it has their last values."""

    repeated: list[str]


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    counted = Counter(key for key, _ in pairs)
    found = Repeating(plain)
    found.repeated = [key for key, times in counted.items() if times > 1]
    return found


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise ValueError("The JSON has a number in it whose exponent is too large.") from None


DECODER = simplejson.JSONDecoder(parse_float=_decimal)
REPEATING_DECODER = simplejson.JSONDecoder(parse_float=_decimal, object_pairs_hook=_object)


def loads(text: str, *, repeating: bool = False) -> Any:
    """Parse a JSON text. With `repeating`, objects with repeated keys become `Repeating`.

    Raises ValueError where it is not JSON (NaN and the infinities are not), is nested deeper than Python can
    follow, or has a number whose exponent no Decimal can have.
    """
    try:
        return (REPEATING_DECODER if repeating else DECODER).decode(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def loads_at(text: str, start: int, *, repeating: bool = False) -> tuple[Any, int]:
    """Parse the JSON that begins at an offset of a text; return its value, and the offset of its end.

    `repeating` and errors are as for `loads`.
    """
    try:
        return (REPEATING_DECODER if repeating else DECODER).raw_decode(text, start)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def dumps(
    value: object,
    *,
    ascii: bool = True,
    indent: str | int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
    default: Callable[[object], object] | None = None,
) -> str:
    """Encode a value as JSON. `ascii` escapes other characters; `default` converts values that JSON can't represent.

    Raises ValueError for NaN and the infinities, TypeError for what is not JSON and has no default.
    """
    return simplejson.dumps(
        value,
        use_decimal=True,
        allow_nan=False,
        ensure_ascii=ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
        default=default,
    )
