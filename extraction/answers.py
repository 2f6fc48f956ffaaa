"""Finding the JSON in an answer. Pure; run in check processes, since the schema decides the cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from conversations.exact_json import DEPTH_LIMIT, Repeating, loads, loads_at
from conversations.json_types import JSON
from extraction.evidence.finding import Claim
from extraction.evidence.leaves import claims_for
from extraction.schemas.dialect import NoSuchPlace, Schema, modern, pointer, resolved
from extraction.schemas.spelling import with_spelling
from extraction.schemas.validation import Validator

if TYPE_CHECKING:
    from conversations.contract.extraction_types import Problem

NO_JSON = "The answer has no JSON in it."
TWICE = "The object has this key more than once; the last value was used."
FENCE = re.compile(r"^[ \t]*(`{3,}+|~{3,}+)[^\n]*\n(.*?)^[ \t]*\1", re.DOTALL | re.MULTILINE)
OPENING = re.compile(r"[{\[]")
LARGEST = Decimal("1.7976931348623157e308")
"""The largest number that JSON parsers with floats can represent."""
WRAPPED_DEPTH = 3
"""The maximal number of wrapper objects around the data."""


@dataclass(frozen=True)
class Judgement:
    """The result of an answer: its data, and the problems, of which there are none if it satisfies the schema."""

    data: JSON
    problems: list[Problem] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    """The quote for each value of the data, if evidence was requested."""


@dataclass(frozen=True)
class _Candidate:
    """A JSON value in a text, its number of characters, and the claims beside it."""

    value: JSON
    size: int
    claims: list[Claim] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    """Keys that occur in it more than once."""


def judged(schema: Schema, text: str, *, evidence: bool = False) -> Judgement:
    """Return the first JSON value of an answer that satisfies the schema, else the largest with its problems.

    Values are searched in this order: the whole text, fenced blocks, values in prose; each may be in a wrapper, as in
    `{"result": {...}}`. With `evidence` the data may be beside its claims, as the request asked. Enum values in another
    letter case are corrected to the schema's spelling.
    """
    judgement = _judged(schema, text, evidence)
    return replace(judgement, claims=claims_for(judgement.data, judgement.claims)) if evidence else judgement


def _judged(schema: Schema, text: str, evidence: bool) -> Judgement:
    validator, names = Validator(schema), _names(schema)
    largest: _Candidate | None = None
    complaint = NO_JSON
    for found in _candidates(text):
        if isinstance(found, ValueError):
            complaint = str(found)
            continue
        whole = _with_claims(found, names) if evidence else [found]
        alternatives = [*whole, *(inner for each in whole for inner in _wrapped(each, names, WRAPPED_DEPTH))]
        for each in alternatives:
            for value in (each.value, with_spelling(schema, each.value)):
                if not each.problems and validator.accepts(value):
                    return Judgement(value, claims=each.claims)
        largest = alternatives[0] if largest is None or found.size > largest.size else largest
    if largest is None:
        return Judgement(None, [{"path": "", "message": complaint}])
    spelt = with_spelling(schema, largest.value)
    return Judgement(spelt, [*largest.problems, *validator.problems(spelt)], largest.claims)


def _names(schema: Schema) -> frozenset[str]:
    """Return the names of the fields of a schema's data; none if they are unknown."""
    root = modern(schema)
    try:
        while isinstance(root, dict) and isinstance(root.get("$ref"), str) and "properties" not in root:
            root = {**resolved(root["$ref"], modern(schema)), "$defs": root.get("$defs")}
            if root.get("$ref") == schema.get("$ref"):
                break
    except (NoSuchPlace, TypeError):
        return frozenset()
    named = root.get("properties") if isinstance(root, dict) else None
    return frozenset(named) if isinstance(named, dict) else frozenset()


def _with_claims(found: _Candidate, names: frozenset[str]) -> list[_Candidate]:
    """Return the data and the claims in a value that has both, as the request asked.

    The value itself counts as data only if the schema has a field `data` of its own: a schema with open fields would
    accept any value.
    """
    value = found.value
    if not isinstance(value, dict) or "data" not in value or value.keys() - {"data", "evidence"}:
        return [found]
    said = value.get("evidence")
    claims = [
        Claim(path, quote)
        for each in (said if isinstance(said, list) else ())
        if isinstance(each, dict)
        and isinstance(path := each.get("path"), str)
        and isinstance(quote := each.get("quote"), str)
    ]
    problems: list[Problem] = [{**each, "path": each["path"].removeprefix("/data")} for each in found.problems]
    data = _Candidate(value["data"], found.size, claims, problems)
    return [data, found] if "data" in names else [data]


def _wrapped(found: _Candidate, names: frozenset[str], depth: int) -> Iterator[_Candidate]:
    """Yield the values within a wrapper: an object with other fields than the schema's, or a list of one."""
    value = found.value
    if depth == 0 or not isinstance(value, (dict, list)) or (isinstance(value, list) and len(value) != 1):
        return
    if isinstance(value, dict) and value.keys() & names:
        return
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
        path = pointer((step,))
        problems: list[Problem] = [
            {**each, "path": each["path"].removeprefix(path)}
            for each in found.problems
            if each["path"].startswith(f"{path}/")
        ]
        candidate = _Candidate(inner, found.size, problems=problems)
        if isinstance(inner, list) or (isinstance(inner, dict) and (not names or inner.keys() & names)):
            yield candidate
        yield from _wrapped(candidate, names, depth - 1)


def _candidates(text: str) -> Iterator[_Candidate | ValueError]:
    """Yield the JSON values of a text in the order of preference, or why a value can't be kept."""
    for part in (text, *(fence[2] for fence in FENCE.finditer(text))):
        try:
            value = loads(part, repeating=True)
        except ValueError:
            continue
        yield _kept(value, len(part.strip()))
    yield from _in_prose(text)


def _in_prose(text: str) -> Iterator[_Candidate | ValueError]:
    """Yield the outermost objects and arrays in a text."""
    position = 0
    while opening := OPENING.search(text, position):
        try:
            value, position = loads_at(text, opening.start(), repeating=True)
        except ValueError:
            position = opening.end()
        else:
            yield _kept(value, position - opening.start())


def _kept(value: JSON, size: int) -> _Candidate | ValueError:
    problems: list[Problem] = []
    try:
        plain = _plain(value, (), problems)
    except ValueError as error:
        return error
    return _Candidate(plain, size, problems=problems)


def _plain(value: JSON, path: tuple[str | int, ...], problems: list[Problem]) -> JSON:
    """Return a value with each key of an object once, and record repeated keys.

    Raise ValueError for values that could be stored but not encoded again. (NUL and long integers can be.)
    """
    if len(path) > DEPTH_LIMIT:
        raise ValueError("The JSON is nested too deep.")
    if isinstance(value, Repeating):
        problems += [{"path": pointer((*path, key)), "message": TWICE} for key in value.repeated]
        value = dict(value)
    if isinstance(value, dict):
        for key in value:
            _check_scalar(key)
        return {key: _plain(each, (*path, key), problems) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, (*path, index), problems) for index, each in enumerate(value)]
    _check_scalar(value)
    return value


def _check_scalar(value: JSON) -> None:
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("The JSON has half a surrogate pair in it.")
    if isinstance(value, (int, Decimal)) and not -LARGEST <= value <= LARGEST:
        raise ValueError("The JSON has a number in it that is too large.")
