"""The JSON of an answer, wherever in it Claude put it. Pure; run in check processes, as the schema decides its cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from conversations.exact_json import DEPTH_LIMIT, loads, loads_at
from extraction.schemas.dialect import Schema
from extraction.schemas.spelling import with_spelling
from extraction.schemas.validation import Problem, Validator

NO_JSON = "The answer has no JSON in it."
FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(.*?)^[ \t]*\1", re.DOTALL | re.MULTILINE)
OPENING = re.compile(r"[{\[]")
LARGEST = Decimal("1.7976931348623157e308")
"""The largest number that other readers of JSON know, whose numbers are floats."""


@dataclass(frozen=True)
class Judgement:
    """What an answer comes to: its data, and what is wrong with that; nothing is, where it satisfies the schema."""

    data: Any
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Candidate:
    """A JSON value in a text, and how many characters of it that is."""

    value: Any
    size: int


def judged(schema: Schema, text: str) -> Judgement:
    """Return the first JSON value of an answer that satisfies the schema, else the largest with its problems.

    Values are looked for in this order: the whole text, fenced blocks, values in prose. Enum values may be spelt in
    another letter case than the schema's, and get that.
    """
    validator = Validator(schema)
    largest: _Candidate | None = None
    complaint = NO_JSON
    for found in _candidates(text):
        if isinstance(found, ValueError):
            complaint = str(found)
            continue
        for value in (found.value, with_spelling(schema, found.value)):
            if validator.accepts(value):
                return Judgement(value)
        largest = found if largest is None or found.size > largest.size else largest
    if largest is None:
        return Judgement(None, [{"path": "", "message": complaint}])
    spelt = with_spelling(schema, largest.value)
    return Judgement(spelt, validator.problems(spelt))


def _candidates(text: str) -> Iterator[_Candidate | ValueError]:
    """Yield the JSON values of a text in the order of preference, or why one that is there can't be kept."""
    for part in (text, *(fence[2] for fence in FENCE.finditer(text))):
        try:
            value = loads(part)
        except ValueError:
            continue
        yield _kept(value, len(part.strip()))
    yield from _in_prose(text)


def _in_prose(text: str) -> Iterator[_Candidate | ValueError]:
    """Yield the objects and arrays that stand in a text, without those within others."""
    position = 0
    while opening := OPENING.search(text, position):
        try:
            value, position = loads_at(text, opening.start())
        except ValueError:
            position = opening.end()
        else:
            yield _kept(value, position - opening.start())


def _kept(value: Any, size: int) -> _Candidate | ValueError:
    try:
        _check(value)
    except ValueError as error:
        return error
    return _Candidate(value, size)


def _check(value: Any, depth: int = 0) -> None:
    """Raise ValueError for what could be stored but not shown again. (NUL and long integers can be.)"""
    if depth > DEPTH_LIMIT:
        raise ValueError("The JSON is nested too deep.")
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("The JSON has half a surrogate pair in it.")
    if isinstance(value, (int, Decimal)) and not -LARGEST <= value <= LARGEST:
        raise ValueError("The JSON has a number in it that is too large.")
    if isinstance(value, (dict, list)):
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            _check(item, depth + 1)
