"""JSON whose numbers keep their digits. Pure.

What has a fraction or an exponent is read as a Decimal and written as the number it was: as floats,
12345678901234567.89 and 12345678901234567.90 are the same, and 19.99 is not a multiple of 0.01.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import simplejson

DEPTH_LIMIT = 100
"""How deep JSON from outside may be nested: what is read can be written again, by every library that does."""

DECODER = simplejson.JSONDecoder(parse_float=Decimal)
TOO_DEEP = "The JSON is nested too deep."


def loads(text: str) -> Any:
    """Return the value that a JSON text stands for.

    Raises ValueError where it is not JSON (NaN and the infinities are not), or nested deeper than Python can follow.
    """
    try:
        return DECODER.decode(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def loads_at(text: str, start: int) -> tuple[Any, int]:
    """Return the value whose JSON begins at an offset of a text, and the offset at which it ends.

    Raises ValueError as `loads`.
    """
    try:
        return DECODER.raw_decode(text, start)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def dumps(
    value: object,
    *,
    ascii: bool = True,
    indent: str | int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
    default: Callable[[Any], Any] | None = None,
) -> str:
    """Return a value as JSON. `ascii` escapes all else; `default` turns what JSON has no form for into what it has.

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
