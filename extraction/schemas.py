"""JSON Schemas: checked, fitted to structured outputs, and held against data. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, SchemaError
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

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
SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "$ref"})
OPEN = frozenset({"patternProperties", "unevaluatedProperties", "propertyNames"})
OPTIONAL_LIMIT = 24
UNION_LIMIT = 16


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
        _check_ref(ref, schema)
    return schema


def _check_ref(ref: str, schema: Schema) -> None:
    if not ref.startswith("#"):
        raise InvalidRequest("schema: Only local references are followed.", details={"schema": f"$ref {ref}"})
    try:
        found = Registry().resolver_with_root(DRAFT202012.create_resource(schema)).lookup(ref).contents
    except (Unresolvable, ValueError, TypeError):
        found = None
    if not isinstance(found, (dict, bool)):
        raise InvalidRequest(f"schema: {ref} is not a schema in it.", details={"schema": f"$ref {ref}"})


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
        _refuse_recursion(schema, schema, (), set())
        fitted = _fitted(schema)
    except NotNative:
        return None
    parts = list(_within(fitted))
    optional = sum(len(each.get("properties", {}).keys() - set(each.get("required", []))) for each in parts)
    unions = sum("anyOf" in each or isinstance(each.get("type"), list) for each in parts)
    return fitted if optional <= OPTIONAL_LIMIT and unions <= UNION_LIMIT else None


def _within(fitted: Schema) -> Iterator[Schema]:
    """The schema and every one in it."""
    yield fitted
    for key in NAMED:
        for each in fitted.get(key, {}).values():
            yield from _within(each)
    for key in LISTED:
        for each in fitted.get(key, []):
            yield from _within(each)
    if "items" in fitted:
        yield from _within(fitted["items"])


def _fitted(schema: Any) -> Schema:
    if not isinstance(schema, dict):
        raise NotNative  # true and false: anything, and nothing
    if any(isinstance(each, (dict, list)) for each in [*schema.get("enum", []), schema.get("const")]):
        raise NotNative  # only scalars are enumerated
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
    _refuse_contradiction(schema, fitted)
    _close(schema, fitted)
    _describe(schema, fitted)
    return fitted


def _refuse_contradiction(schema: Schema, fitted: Schema) -> None:
    # Every object is closed, so that one part of a combination forbids the properties of the others.
    several = len(schema.keys() & SEVERAL) + ("properties" in schema) > 1
    parts = fitted.get("allOf", [])
    if several or (len(parts) > 1 and any(each.keys() & (SEVERAL | {"properties"}) for each in parts)):
        raise NotNative


def _close(schema: Schema, fitted: Schema) -> None:
    kinds = schema.get("type", [])
    named = schema.get("properties", {})
    if "object" not in kinds and not named:
        if not fitted.keys() & {"type", "enum", "const", "anyOf", "allOf", "$ref"}:
            raise NotNative  # anything at all
        return
    open_map = schema.get("additionalProperties") not in (None, False) or schema.keys() & OPEN
    if not named or open_map or set(schema.get("required", [])) - named.keys():
        raise NotNative
    fitted.setdefault("type", "object")
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


def _refuse_recursion(schema: Any, root: Schema, seen: tuple[str, ...], done: set[str]) -> None:
    if isinstance(schema, list):
        for each in schema:
            _refuse_recursion(each, root, seen, done)
    if not isinstance(schema, dict):
        return
    ref = schema.get("$ref")
    if isinstance(ref, str) and ref not in done:
        if ref in seen:
            raise NotNative
        _refuse_recursion(_resolved(ref, root), root, (*seen, ref), done)
        done.add(ref)  # looked at once: what two places share would double at each level
    for key, value in schema.items():
        if key not in ("$defs", "definitions"):
            _refuse_recursion(value, root, seen, done)


def _resolved(ref: str, root: Schema) -> Any:
    if ref == "#":
        return root
    if not ref.startswith("#/"):
        raise NotNative
    found: Any = root
    for part in ref.removeprefix("#/").split("/"):
        if not isinstance(found, dict) or part not in found:
            raise NotNative
        found = found[part]
    return found


def with_spelling(schema: Schema, data: Any) -> Any:
    """The data with enum values spelt as the schema has them: their letter case isn't guaranteed (claude-api.md 7)."""
    try:
        return _spelt(schema, data, schema, ())
    except NotNative:  # a reference of a kind that structured outputs don't take
        return data


def _spelt(schema: Any, data: Any, root: Schema, seen: tuple[str, ...]) -> Any:
    if not isinstance(schema, dict):
        return data
    ref = schema.get("$ref")
    if isinstance(ref, str) and ref not in seen:
        data = _spelt(_resolved(ref, root), data, root, (*seen, ref))
    for key in ("allOf", "anyOf", "oneOf"):
        for each in schema.get(key, ()):
            data = _spelt(each, data, root, seen)
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if isinstance(data, str) and data not in choices:
        return next((each for each in choices if isinstance(each, str) and each.lower() == data.lower()), data)
    if isinstance(data, dict):
        named = schema.get("properties") or {}
        return {key: _spelt(named.get(key), value, root, ()) for key, value in data.items()}
    if isinstance(data, list):
        return [_spelt(schema.get("items"), each, root, ()) for each in data]
    return data
