"""Parsing JSON from outside, at a bounded cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, Literal

import jiter
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

VALUES_LIMIT = 100_000
"""The maximal number of values in a document: numbers, strings, arrays and objects together."""

MEMORABLE = 64 * 1024  # bytes of a document whose strings may be kept for the next: they would hold large ones' memory

_STRUCTURE = (b",", b"[", b"{")


def parse_json(text: str | bytes, most: int = VALUES_LIMIT, *, exact: bool = False) -> Any:
    """Return the value of a JSON document (RFC 8259) that all parsers interpret alike.

    `most` is the maximal number of values; with `exact`, numbers with a fraction or an exponent become Decimals. Raise
    ValueError with a message for the sender for invalid JSON or UTF-8, too many values, nesting more than 200 deep,
    repeated keys of an object, numbers that are infinite as a double, and lone surrogates.
    """
    data = text.encode() if isinstance(text, str) else text
    if _count(data) > most and _count(_outside_of_strings(data, most)) > most:
        raise ValueError(f"The JSON has more than {most} values, the maximum.")
    try:
        numbers: Literal["float", "decimal"] = "decimal" if exact else "float"
        value = jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True, float_mode=numbers)
    except ValueError as error:
        raise ValueError(f"Malformed JSON: {error}.") from None
    finally:
        if len(data) > MEMORABLE:
            jiter.cache_clear()
    _check_numbers(value)
    return value


def _count(data: bytes) -> int:
    """Return the number of values in a document: each but the first follows a comma or an opening bracket."""
    return 1 + sum(map(data.count, _STRUCTURE))


def _outside_of_strings(data: bytes, most: int) -> bytes:
    """Return a document without its strings, in linear time. Raise ValueError as `parse_json`."""
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in data else data
    # A value has at most a key and a string, each with two quotation marks; more of them would be expensive to split.
    if plain.count(b'"') > 4 * most:
        raise ValueError(f"The JSON has more than {most} values, the maximum.")
    return b"".join(plain.split(b'"')[::2])


def _check_numbers(document: object) -> None:
    """Raise ValueError for a number that is infinite as a double."""
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, float | Decimal) and not math.isfinite(float(value)):
            raise ValueError("Malformed JSON: a number is beyond the range of a double.")


class StrictJSONParser(BaseParser):
    """`parse_json` for request bodies."""

    media_type = "application/json"
    most = VALUES_LIMIT
    exact = False

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Any:
        """Return the body's value. Raise ParseError with the reason."""
        try:
            return parse_json(stream.read(), self.most, exact=self.exact)
        except ValueError as error:
            raise ParseError(str(error)) from None


class ExactJSONParser(StrictJSONParser):
    """`parse_json` for request bodies whose numbers keep their digits."""

    exact = True
