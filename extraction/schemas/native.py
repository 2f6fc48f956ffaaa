"""Schemas as structured outputs take them (claude-api.md 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conversations.exact_json import dumps
from extraction.schemas.dialect import NoSuchPlace, Schema, modern, parts, resolved

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
DEFINITIONS = ("$defs", "definitions")
NAMED = ("properties", *DEFINITIONS)
LISTED = ("anyOf", "allOf")
SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "$ref"})
OPEN = frozenset({"patternProperties", "unevaluatedProperties", "propertyNames"})
OPTIONAL_LIMIT = 24
UNION_LIMIT = 16


class NotNative(Exception):
    """Structured outputs can't express the schema."""


def native(schema: Schema) -> Schema | None:
    """Return the schema as structured outputs take it, or None where they can't express it.

    Constraints that they don't take are put into the description, where Claude at least reads them.
    """
    modernised = modern(schema)
    try:
        _refuse_recursion(modernised, modernised, set(), set())
        fitted = _fitted(modernised)
    except (NotNative, NoSuchPlace, RecursionError):
        return None
    every = list(_within(fitted))
    optional = sum(len(each.get("properties", {}).keys() - set(each.get("required", []))) for each in every)
    unions = sum("anyOf" in each or isinstance(each.get("type"), list) for each in every)
    return fitted if optional <= OPTIONAL_LIMIT and unions <= UNION_LIMIT else None


def _within(fitted: Schema) -> Iterator[Schema]:
    """Yield a fitted schema and every one in it."""
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
    """Return a schema without what structured outputs don't take. Raises NotNative where that would change too much."""
    if not isinstance(schema, dict) or "prefixItems" in schema:
        raise NotNative  # true and false are anything, and nothing; tuples have no form
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
        told = "; ".join(f"{key}: {dumps(value, ascii=False)}" for key, value in untold.items())
        fitted["description"] = f"{schema.get('description', '')} ({told})".strip()


def _refuse_recursion(schema: Any, root: Schema, open: set[int], done: set[int]) -> None:
    """Raise NotNative where a schema contains itself. Each is looked at once, however many places refer to it."""
    if not isinstance(schema, dict) or id(schema) in done:
        return
    if id(schema) in open:
        raise NotNative
    open.add(id(schema))
    below = [part for steps, part in parts(schema) if steps[0] not in DEFINITIONS]
    below += [resolved(schema["$ref"], root)] if "$ref" in schema else []
    for each in below:
        _refuse_recursion(each, root, open, done)
    done.add(id(schema))
