"""Comparing data with expected data, value by value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from conversations.json_types import JSON
from extraction.evaluation.aligning import Effort, aligned
from extraction.evaluation.normalising import readings

NOTHING: Any = object()
"""Stands for a missing value."""


class Match(StrEnum):
    """The result of comparing a value with the expected one."""

    EXACT = "exact"
    NORMALISED = "normalised"
    """The value has the same meaning in another notation."""
    WRONG = "wrong"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True)
class Comparison:
    """A value of the data, or of the expected data, with the result of its comparison."""

    field: str
    """A JSON Pointer, with `*` for every item of a list."""
    path: str
    """A JSON Pointer into the data; for a missing value, into the expected data."""
    place: str
    """A JSON Pointer into the expected data; for an extra value, into the data. It is the same in every comparison."""
    match: Match
    expected: JSON = None
    actual: JSON = None


class _Place(NamedTuple):
    """The place of a value, as in `Comparison`."""

    field: str = ""
    path: str = ""
    place: str = ""

    def below(self, field: object, path: object, place: object) -> _Place:
        """Return the place one step further down."""
        return _Place(f"{self.field}/{field}", f"{self.path}/{path}", f"{self.place}/{place}")


def compared(expected: JSON, actual: JSON, effort: Effort | None = None) -> list[Comparison]:
    """Compare data with expected data, value by value; null and absent are equal.

    The items of lists are aligned by similarity, not by position, as far as the effort permits.
    """
    return list(_compared(expected, actual, _Place(), effort or Effort()))


def _compared(expected: JSON, actual: JSON, at: _Place, effort: Effort) -> Iterator[Comparison]:
    if _is_nothing(expected) and _is_nothing(actual):
        return
    if isinstance(expected, Mapping) or isinstance(actual, Mapping):
        yield from _objects(expected, actual, at, effort)
    elif isinstance(expected, list) or isinstance(actual, list):
        yield from _lists(expected, actual, at, effort)
    elif _is_nothing(expected):
        yield Comparison(*at, Match.EXTRA, actual=actual)
    elif _is_nothing(actual):
        yield Comparison(*at, Match.MISSING, expected=expected)
    else:
        yield Comparison(*at, _match(expected, actual), expected, actual)


def _objects(expected: JSON, actual: JSON, at: _Place, effort: Effort) -> Iterator[Comparison]:
    ours, theirs = ({} if _is_nothing(each) else each for each in (expected, actual))
    if not isinstance(ours, Mapping) or not isinstance(theirs, Mapping):
        yield Comparison(*at, Match.WRONG, expected, actual)
        return
    for key in dict.fromkeys([*ours, *theirs]):
        step = key.replace("~", "~0").replace("/", "~1")
        yield from _compared(ours.get(key, NOTHING), theirs.get(key, NOTHING), at.below(step, step, step), effort)


def _lists(expected: JSON, actual: JSON, at: _Place, effort: Effort) -> Iterator[Comparison]:
    ours, theirs = ([] if _is_nothing(each) else each for each in (expected, actual))
    if not isinstance(ours, list) or not isinstance(theirs, list):
        yield Comparison(*at, Match.WRONG, expected, actual)
        return
    for left, right in aligned(ours, theirs, effort):
        below = at.below("*", left if right is None else right, right if left is None else left)
        one = NOTHING if left is None else ours[left]
        other = NOTHING if right is None else theirs[right]
        yield from _compared(one, other, below, effort)


def _is_nothing(value: JSON) -> bool:
    return value is NOTHING or value is None


def _match(expected: JSON, actual: JSON) -> Match:
    if _is_exact(expected, actual):
        return Match.EXACT
    return Match.NORMALISED if readings(expected) & readings(actual) else Match.WRONG


def _is_exact(expected: JSON, actual: JSON) -> bool:
    """Return whether two values are equal in JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, int | float | Decimal) and isinstance(actual, int | float | Decimal):
        return Decimal(str(expected)) == Decimal(str(actual))
    return type(expected) is type(actual) and bool(expected == actual)
