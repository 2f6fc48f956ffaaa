"""JSON Schemas: checked, fitted to structured outputs, and held against data. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, SchemaError
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from conversations.errors import InvalidRequest

Schema = dict[str, Any]

PROBLEMS_LIMIT = 20

# What structured outputs take of a schema (claude-api.md 7). The rest is told in words, and checked by us.
TAKEN = frozenset(
    [
        "type",
        "properties",
        "required",
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
    ]
)
FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"])
ANNOTATIONS = frozenset(
    {"$schema", "$id", "$comment", "examples", "additionalProperties", "oneOf", "format", "minItems"}
)
NAMED = ("properties", "$defs", "definitions")
LISTED = ("anyOf", "allOf")
OPTIONAL_LIMIT = 24


class NotNative(Exception):
    """Structured outputs can't express the schema."""


def check(schema: Any) -> Schema:
    """A schema from outside, if it is one. Raises InvalidRequest."""
    if not isinstance(schema, dict):
        raise InvalidRequest("schema: Must be a JSON Schema.", details={"schema": "not an object"})
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        path = ".".join(["schema", *map(str, error.path)])
        raise InvalidRequest(f"{path}: {error.message}", details={path: error.message}) from None
    for ref in _refs(schema):
        if not ref.startswith("#"):
            raise InvalidRequest("schema: Only local references are followed.", details={"schema": f"$ref {ref}"})
    return schema


def _refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("$ref", "$dynamicRef") and isinstance(item, str):
                yield item
            yield from _refs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _refs(item)


def problems(schema: Schema, data: Any) -> list[dict[str, str]]:
    """What is wrong with the data: where (a JSON Pointer), and what."""
    # An empty registry: no reference is ever fetched.
    validator = Draft202012Validator(schema, format_checker=FormatChecker(), registry=Registry())
    try:
        errors = sorted(validator.iter_errors(data), key=lambda error: [str(part) for part in error.absolute_path])
    except (Unresolvable, RecursionError) as error:
        return [{"path": "", "message": f"The schema can't be followed: {error}"}]
    return [{"path": _pointer(error), "message": error.message[:500]} for error in errors[:PROBLEMS_LIMIT]]


def _pointer(error: ValidationError) -> str:
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in error.absolute_path]
    return "".join(f"/{part}" for part in parts)


def native(schema: Schema) -> Schema | None:
    """The schema as structured outputs take it, or None where they can't express it.

    Constraints that they don't take are put into the description, where Claude at least reads them.
    """
    try:
        _refuse_recursion(schema, schema, ())
        fitted = _fitted(schema)
    except NotNative:
        return None
    return fitted if _optional(fitted) <= OPTIONAL_LIMIT else None


def _fitted(schema: Any) -> Schema:
    if not isinstance(schema, dict):
        raise NotNative  # true and false: anything, and nothing
    fitted = {key: value for key, value in schema.items() if key in TAKEN}
    for key in NAMED:
        if key in schema:
            fitted[key] = {name: _fitted(each) for name, each in schema[key].items()}
    for key in LISTED:
        if key in schema:
            fitted[key] = [_fitted(each) for each in schema[key]]
    if "oneOf" in schema:
        fitted["anyOf"] = [_fitted(each) for each in schema["oneOf"]]
    if "items" in schema:
        fitted["items"] = _fitted(schema["items"])
    if schema.get("format") in FORMATS:
        fitted["format"] = schema["format"]
    if schema.get("minItems") in (0, 1):
        fitted["minItems"] = schema["minItems"]
    _close(schema, fitted)
    _describe(schema, fitted)
    return fitted


def _close(schema: Schema, fitted: Schema) -> None:
    kind = schema.get("type")
    if kind != "object" and "properties" not in schema:
        if not fitted.keys() & {"type", "enum", "const", "anyOf", "allOf", "$ref"}:
            raise NotNative  # anything at all
        return
    if not schema.get("properties") or schema.get("additionalProperties") not in (None, False):
        raise NotNative  # an open map
    fitted["type"] = "object"
    fitted["additionalProperties"] = False


def _describe(schema: Schema, fitted: Schema) -> None:
    kept = fitted.keys() | ANNOTATIONS
    untold = {key: value for key, value in schema.items() if key not in kept}
    if "format" in schema and "format" not in fitted:
        untold["format"] = schema["format"]
    if "minItems" in schema and "minItems" not in fitted:
        untold["minItems"] = schema["minItems"]
    if untold:
        told = "; ".join(f"{key}: {value}" for key, value in untold.items())
        fitted["description"] = f"{schema.get('description', '')} ({told})".strip()


def _refuse_recursion(schema: Any, root: Schema, seen: tuple[str, ...]) -> None:
    if isinstance(schema, list):
        for each in schema:
            _refuse_recursion(each, root, seen)
    if not isinstance(schema, dict):
        return
    ref = schema.get("$ref")
    if isinstance(ref, str):
        if ref in seen:
            raise NotNative
        _refuse_recursion(_resolved(ref, root), root, (*seen, ref))
    for key, value in schema.items():
        if key not in ("$defs", "definitions"):
            _refuse_recursion(value, root, seen)


def _resolved(ref: str, root: Schema) -> Any:
    if not ref.startswith("#/"):
        raise NotNative
    found: Any = root
    for part in ref.removeprefix("#/").split("/"):
        if not isinstance(found, dict) or part not in found:
            raise NotNative
        found = found[part]
    return found


def _optional(schema: Any) -> int:
    if isinstance(schema, list):
        return sum(map(_optional, schema))
    if not isinstance(schema, dict):
        return 0
    named = schema.get("properties")
    own = len(named.keys() - set(schema.get("required", []))) if isinstance(named, dict) else 0
    return own + sum(map(_optional, schema.values()))


def with_spelling(schema: Any, data: Any) -> Any:
    """The data with enum values spelt as in the schema: Claude may answer in other letter case (claude-api.md 7)."""
    if not isinstance(schema, dict):
        return data
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if isinstance(data, str) and data not in choices:
        return next((each for each in choices if isinstance(each, str) and each.lower() == data.lower()), data)
    if isinstance(data, dict):
        named = schema.get("properties") or {}
        return {key: with_spelling(named.get(key), value) for key, value in data.items()}
    if isinstance(data, list):
        return [with_spelling(schema.get("items"), each) for each in data]
    return data
