"""Which JSON Schemas structured outputs take (claude-api.md 7), and values that satisfy them. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from conversations.sandbox.refused import Refused, require
from conversations.sandbox.sdk_shapes import STRING_FORMATS

Schema = dict[str, Any]

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
OPTIONAL_LIMIT = 24
PARTS_LIMIT = 10_000  # of a schema with its references followed; Claude's own limit is not known


class Counted(NamedTuple):
    """What a schema comes to where it is compiled, each reference by all that it refers to."""

    parts: int
    optional: int


def check_schema(schema: Any) -> None:
    """Raise Refused for a schema that structured outputs do not take."""
    _require(isinstance(schema, dict), "must be an object")
    try:
        counted = _counted(schema, "$", schema, {})
    except RecursionError:
        counted = Counted(PARTS_LIMIT + 1, 0)
    _require(counted.optional <= OPTIONAL_LIMIT, f"too many optional parameters: {counted.optional} > {OPTIONAL_LIMIT}")
    _require(counted.parts <= PARTS_LIMIT, "Schema is too complex for compilation")


def _counted(schema: Any, path: str, root: Schema, known: dict[str, Counted | None]) -> Counted:
    """Check a schema and count it. `known` has what was counted by reference, and None for what is being counted."""
    _check(schema, path)
    if "$ref" in schema:
        ref = schema["$ref"]
        if ref not in known:
            known[ref] = None
            known[ref] = _counted(resolve(ref, root), path, root, known)
        counted = known[ref]
        if counted is None:
            raise Refused(400, _message(f"{path}: recursive schemas are not supported"))
        return counted
    below = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("allOf", [])]
    below += [schema["items"]] if "items" in schema else []
    each = [_counted(part, f"{path}.{number}", root, known) for number, part in enumerate(below)]
    optional = len(schema.get("properties", {}).keys() - set(schema.get("required", [])))
    return Counted(1 + sum(part.parts for part in each), optional + sum(part.optional for part in each))


def _check(schema: Any, path: str) -> None:
    _require(isinstance(schema, dict), f"{path} must be an object")
    for keyword in schema.keys() - KEYWORDS:
        _require(False, f"{path}: For '{schema.get('type')}' type, property '{keyword}' is not supported")
    _require(schema.get("minItems", 0) in (0, 1), f"{path}: minItems must be 0 or 1")
    _require(schema.get("format", "date") in STRING_FORMATS, f"{path}: format is not supported")
    if "$ref" not in schema and (schema.get("type") == "object" or "properties" in schema):
        closed = schema.get("additionalProperties") is False
        _require(closed, f"{path}: For 'object' type, 'additionalProperties' must be explicitly set to false")


def resolve(ref: str, root: Schema) -> Any:
    """Return what a local reference points to. Raises Refused where there is nothing."""
    found: Any = root
    _require(ref == "#" or ref.startswith("#/"), f"{ref}: only local references are supported")
    for part in ref.split("/")[1:]:
        _require(isinstance(found, dict) and part in found, f"{ref}: there is nothing there")
        found = found[part]
    return found


def _message(complaint: str) -> str:
    return f"output_config.format.schema: {complaint}"


def _require(fine: object, complaint: str) -> None:
    require(fine, _message(complaint))


# --- Values -----------------------------------------------------------------------------------------------------------

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
URL = re.compile(r"https?://[^\s\"'<>]+")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
PHONE = re.compile(r"\+?\d[\d ()/-]{6,}\d")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
NAME = re.compile(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)*\b")
NOT_NAMES = frozenset(
    [
        "Extract",
        "Contact",
        "From",
        "The",
        "This",
        "Name",
        "Email",
        "Please",
        "Find",
        "Return",
        "Give",
        "Call",
        "Write",
        "Dear",
        "Hello",
        "Hi",
    ]
)
QUOTED = re.compile(r'"([^"]*)"')


class _Endless(Exception):
    """A schema contains itself here, so that the value would have no end."""


def value_for(schema: Schema, text: str) -> Any:
    """Return a value that satisfies the schema, filled from the text where something in it looks right.

    Raises Refused where the value would be too large, or endless.
    """
    try:
        return _Filling(schema, text).value(schema, "", ())
    except (_Endless, RecursionError):
        raise Refused(400, _message("no value that satisfies it has an end")) from None


class _Filling:
    """Makes up a value part by part."""

    def __init__(self, root: Schema, text: str) -> None:
        self._root = root
        self._text = text
        self._left = PARTS_LIMIT

    def value(self, schema: Any, name: str, open: tuple[str, ...]) -> Any:
        """Return a value for a part of the schema: of a property with this name, within the references `open`."""
        self._left -= 1
        _require(self._left >= 0, "a value that satisfies it is too large")
        if not isinstance(schema, dict):
            return self._text  # true: anything
        if "$ref" in schema:
            if schema["$ref"] in open:
                raise _Endless
            return self.value(resolve(schema["$ref"], self._root), name, (*open, schema["$ref"]))
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return next((each for each in schema["enum"] if str(each).lower() in self._text.lower()), schema["enum"][0])
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in schema:
                return self._first(schema[keyword], name, open)
        return self._of_type(schema, name, open)

    def _first(self, schemas: list[Any], name: str, open: tuple[str, ...]) -> Any:
        for schema in schemas:
            try:
                return self.value(schema, name, open)
            except _Endless:
                continue
        raise _Endless

    def _of_type(self, schema: Schema, name: str, open: tuple[str, ...]) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                return self._object(schema, open)
            case "array":
                return self._array(schema, name, open)
            case "integer":
                return int(float(_found(NUMBER, self._text, "0")))
            case "number":
                return float(_found(NUMBER, self._text, "0"))
            case "boolean":
                return not re.search(r"\b(no|not|false|never)\b", self._text, re.IGNORECASE)
            case "null":
                return None
        return _string(schema.get("format", ""), name.lower(), self._text)

    def _object(self, schema: Schema, open: tuple[str, ...]) -> Any:
        filled = {}
        for name, each in schema.get("properties", {}).items():
            try:
                filled[name] = self.value(each, name, open)
            except _Endless:
                if name in schema.get("required", ()):
                    raise
        return filled

    def _array(self, schema: Schema, name: str, open: tuple[str, ...]) -> Any:
        items = schema.get("items", {})
        tuple_of = items if isinstance(items, list) else schema.get("prefixItems")
        if tuple_of:
            return [self.value(each, name, open) for each in tuple_of]
        try:
            return [self.value(items, name, open)]
        except _Endless:
            return []


def _string(format: str, name: str, text: str) -> str:
    if format == "email" or "email" in name:
        return _found(EMAIL, text, "nobody@example.com")
    if format == "uri" or "url" in name or "link" in name:
        return _found(URL, text, "https://example.com/")
    if format.startswith("date") or "date" in name:
        day = _found(DATE, text, "2026-01-01")
        return f"{day}T00:00:00Z" if format == "date-time" else day
    if "phone" in name:
        return _found(PHONE, text, "+1 555 0100")
    if "name" in name or "person" in name:
        return _person(text)
    return _found(QUOTED, text, text)[:80].strip('"')


def _without_verb(name: str) -> str:
    return " ".join(word for word in name.split() if word not in NOT_NAMES)


# One text is looked through for each of a schema's parts, which may be thousands.


@lru_cache(maxsize=16)
def _person(text: str) -> str:
    quoted = " ".join(QUOTED.findall(text)) or text
    return next((each for each in map(_without_verb, NAME.findall(quoted)) if each), "Nobody")


@lru_cache(maxsize=64)
def _found(pattern: re.Pattern[str], text: str, otherwise: str) -> str:
    match = pattern.search(text)
    return match[0] if match else otherwise
