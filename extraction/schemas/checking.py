"""Schemas from outside: what is refused of them."""

from __future__ import annotations

from collections.abc import Sequence

import regress
from jsonschema_rs import ValidationError

from conversations.errors import InvalidRequest
from conversations.json_types import JSONObject
from extraction.schemas.dialect import Path, Schema, at_pointer, every_schema
from extraction.schemas.native import Fit, fit
from extraction.schemas.validation import MESSAGE_LIMIT, Validator, compiled

REFERENCES = ("$ref", "$dynamicRef")


def checked(schema: Schema, examples: Sequence[JSONObject] = ()) -> Fit:
    """Return how structured outputs take a schema.

    Raises InvalidRequest, with the place, for what is not a JSON Schema of its own, and for an example whose data does
    not satisfy it.
    """
    check(schema)
    validator = Validator(schema)
    for index, example in enumerate(examples):
        for problem in validator.problems(example["data"]):
            place = f"examples.{index}.data{problem['path'].replace('/', '.')}"
            raise InvalidRequest(f"{place}: {problem['message']}", details={place: problem["message"]})
    return fit(schema)


def check(schema: object) -> None:
    """Refuse what is not a JSON Schema of its own. Raises InvalidRequest, with the place."""
    if not isinstance(schema, dict):
        raise InvalidRequest("schema: Must be a JSON Schema.", details={"schema": "not an object"})
    every = list(every_schema(schema))
    anchors = {part.get(keyword) for _, part in every for keyword in ("$anchor", "$dynamicAnchor")}
    anchors |= {part["$id"][1:] for _, part in every if str(part.get("$id")).startswith("#")}  # draft-07's anchors
    for path, part in every:
        _check_pattern(path, part)
        for keyword in REFERENCES:
            _check_reference(path, keyword, part.get(keyword), schema, anchors)
    _check_compiles(schema)


def _check_pattern(path: Path, schema: Schema) -> None:
    pattern = schema.get("pattern")
    try:
        compiled(pattern if isinstance(pattern, str) else "")
    except regress.RegressError as error:
        raise _refused((*path, "pattern"), f"{pattern!r} is not a regular expression of ECMA-262: {error}.") from None


def _check_reference(path: Path, keyword: str, ref: object, root: Schema, anchors: set[object]) -> None:
    if not isinstance(ref, str):
        return  # which the compiler refuses
    if not ref.startswith("#"):
        raise _refused((*path, keyword), f"Only local references (#...) are followed, not {ref}.")
    by_pointer = ref == "#" or ref.startswith("#/")
    if not (isinstance(at_pointer(ref, root), (dict, bool)) if by_pointer else ref[1:] in anchors):
        raise _refused((*path, keyword), f"{ref} is not a schema in it.")


def _check_compiles(schema: Schema) -> None:
    try:
        Validator(schema)
    except ValidationError as error:
        raise _refused(tuple(map(str, error.instance_path)), error.message) from None
    except ValueError as error:
        raise _refused((), f"{error}.") from None


def _refused(path: Path, complaint: str) -> InvalidRequest:
    place = ".".join(("schema", *path))
    complaint = complaint[:MESSAGE_LIMIT]
    return InvalidRequest(f"{place}: {complaint}", details={place: complaint})
