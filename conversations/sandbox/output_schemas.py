"""The rules for JSON Schemas of structured outputs (claude-api.md 7). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from conversations.json_types import JSONSchema
from conversations.sandbox.refused import Refused, require
from conversations.sandbox.sdk_shapes import STRING_FORMATS

KEYWORDS = frozenset(
    [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "allOf",
        "$ref",
        "$defs",
        "definitions",
        "default",
        "title",
        "description",
        "format",
        "minItems",
        "pattern",
        "$schema",
        "examples",
    ]
)
NAMED_SCHEMAS = ("properties", "$defs", "definitions")
LISTED_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
KEYWORD_TYPES: dict[str, type] = {
    **dict.fromkeys(NAMED_SCHEMAS, dict),
    **dict.fromkeys((*LISTED_SCHEMAS, "required", "enum", "examples"), list),
    **dict.fromkeys(("$ref", "$schema", "title", "description", "format", "pattern"), str),
    "minItems": int,
}
"""The types of the keywords that are looked at, here and where a schema is filled."""
SCHEMA_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
OPTIONAL_LIMIT = 24
PARTS_LIMIT = 10_000  # of a schema with its references followed; Claude's own limit is not known


class Counted(NamedTuple):
    """The size of a compiled schema, with each reference expanded."""

    parts: int
    optional: int


def check_schema(schema: JSONSchema) -> None:
    """Raise Refused for a schema that structured outputs do not support."""
    _require(isinstance(schema, dict), "must be an object")
    try:
        counted = _counted(schema, "$", schema, {})
    except RecursionError:
        counted = Counted(PARTS_LIMIT + 1, 0)
    _require(counted.optional <= OPTIONAL_LIMIT, f"too many optional parameters: {counted.optional} > {OPTIONAL_LIMIT}")
    _require(counted.parts <= PARTS_LIMIT, "JSONSchema is too complex for compilation")


def _counted(schema: JSONSchema, path: str, root: JSONSchema, known: dict[str, Counted | None]) -> Counted:
    """Check a schema and count it. `known` has the counts by reference, and None for those in progress."""
    _check(schema, path)
    if "$ref" in schema:
        ref = schema["$ref"]
        if ref not in known:
            known[ref] = None
            known[ref] = _counted(resolve(ref, root), path, root, known)
        counted = known[ref]
        if counted is None:
            raise refused_schema(f"{path}: recursive schemas are not supported")
        return counted
    below = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("allOf", [])]
    below += [schema["items"]] if "items" in schema else []
    each = [_counted(part, f"{path}.{number}", root, known) for number, part in enumerate(below)]
    optional = len(schema.get("properties", {}).keys() - set(schema.get("required", [])))
    return Counted(1 + sum(part.parts for part in each), optional + sum(part.optional for part in each))


def _check(schema: JSONSchema, path: str) -> None:
    _require(isinstance(schema, dict), f"{path} must be an object")
    for keyword in schema.keys() - KEYWORDS:
        _require(False, f"{path}: For '{schema.get('type')}' type, property '{keyword}' is not supported")
    for keyword in malformed_keywords(schema):
        _require(False, f"{path}: '{keyword}' is malformed")
    scalar = not any(isinstance(each, dict | list) for each in schema.get("enum", ()))
    _require(scalar, f"{path}: enum must have strings, numbers, booleans and nulls only")
    _require(schema.get("minItems", 0) in (0, 1), f"{path}: minItems must be 0 or 1")
    _require(schema.get("format", "date") in STRING_FORMATS, f"{path}: format is not supported")
    if "$ref" not in schema and (schema.get("type") == "object" or "properties" in schema):
        closed = schema.get("additionalProperties") is False
        _require(closed, f"{path}: For 'object' type, 'additionalProperties' must be explicitly set to false")


def malformed_keywords(schema: JSONSchema) -> Iterator[str]:
    """Yield the keywords of a schema whose values have the wrong type for JSON Schema."""
    for keyword in KEYWORD_TYPES.keys() & schema.keys():
        if isinstance(schema[keyword], bool) or not isinstance(schema[keyword], KEYWORD_TYPES[keyword]):
            yield keyword
    names = schema.get("required")
    if isinstance(names, list) and not all(isinstance(name, str) for name in names):
        yield "required"
    types = schema.get("type", [])
    if not all(each in SCHEMA_TYPES for each in (types if isinstance(types, list) else [types])):
        yield "type"


def is_well_formed(schema: object) -> bool:
    """Return whether a value and its subschemas are JSON Schemas, as far as the checked keywords show."""
    pending = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, dict) and not any(malformed_keywords(part)):
            pending += _within(part)
        elif not isinstance(part, bool):
            return False
    return True


def _within(schema: JSONSchema) -> Iterator[object]:
    """Yield the direct subschemas of a well-formed schema."""
    for keyword in NAMED_SCHEMAS:
        yield from schema.get(keyword, {}).values()
    for keyword in LISTED_SCHEMAS:
        yield from schema.get(keyword, ())
    items = schema.get("items", True)
    yield from items if isinstance(items, list) else [items]


def resolve(ref: str, root: JSONSchema) -> Any:
    """Return the target of a local reference. Raise Refused if there is none."""
    found: Any = root
    _require(ref == "#" or ref.startswith("#/"), f"{ref}: only local references are supported")
    for part in ref.split("/")[1:]:
        _require(isinstance(found, dict) and part in found, f"{ref}: there is nothing there")
        found = found[part]
    return found


def refused_schema(complaint: str) -> Refused:
    """Return the error for a refused schema."""
    return Refused(400, _message(complaint))


def _message(complaint: str) -> str:
    return f"output_config.format.schema: {complaint}"


def _require(fine: object, complaint: str) -> None:
    require(fine, _message(complaint))
