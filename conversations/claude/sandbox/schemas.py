"""Which JSON Schemas structured outputs take (claude-api.md 7), and values that satisfy them. Pure."""

from __future__ import annotations

import re
from typing import Any

from conversations.claude.sandbox.refused import require

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
FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"])
OPTIONAL_LIMIT = 24


def check_schema(schema: Any) -> None:
    """Raises Refused for a schema that structured outputs do not take."""
    _require(isinstance(schema, dict), "must be an object")
    optional = _check(schema, "$", schema, ())
    _require(optional <= OPTIONAL_LIMIT, f"too many optional parameters: {optional} > {OPTIONAL_LIMIT}")


def _check(schema: Any, path: str, root: Schema, seen: tuple[str, ...]) -> int:
    _require(isinstance(schema, dict), f"{path} must be an object")
    for keyword in schema.keys() - KEYWORDS:
        _require(False, f"{path}: For '{schema.get('type')}' type, property '{keyword}' is not supported")
    _require(schema.get("minItems", 0) in (0, 1), f"{path}: minItems must be 0 or 1")
    _require(schema.get("format", "date") in FORMATS, f"{path}: format is not supported")
    if "$ref" in schema:
        _require(schema["$ref"] not in seen, f"{path}: recursive schemas are not supported")
        return _check(resolve(schema["$ref"], root), path, root, (*seen, schema["$ref"]))
    optional = 0
    if schema.get("type") == "object" or "properties" in schema:
        closed = schema.get("additionalProperties") is False
        _require(closed, f"{path}: For 'object' type, 'additionalProperties' must be explicitly set to false")
        optional += len(schema.get("properties", {}).keys() - set(schema.get("required", [])))
    below = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("allOf", [])]
    below += [schema["items"]] if "items" in schema else []
    return optional + sum(_check(each, f"{path}.{number}", root, seen) for number, each in enumerate(below))


def resolve(ref: str, root: Schema) -> Schema:
    """What a local reference points to."""
    _require(ref.startswith("#/"), f"{ref}: only local references are supported")
    found: Any = root
    for part in ref.removeprefix("#/").split("/"):
        _require(isinstance(found, dict) and part in found, f"{ref}: there is nothing there")
        found = found[part]
    return dict(found)


def _require(fine: object, message: str) -> None:
    require(fine, f"output_config.format.schema: {message}")


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


def value_for(schema: Schema, text: str, name: str = "", root: Schema | None = None) -> Any:
    """A value that satisfies the schema, filled from the text where something in it looks right."""
    root = root if root is not None else schema
    if "$ref" in schema:
        return value_for(resolve(schema["$ref"], root), text, name, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return next((each for each in schema["enum"] if str(each).lower() in text.lower()), schema["enum"][0])
    for keyword in ("anyOf", "allOf"):
        if keyword in schema:
            return value_for(schema[keyword][0], text, name, root)
    return _of_type(schema, text, name, root)


def _of_type(schema: Schema, text: str, name: str, root: Schema) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            return {key: value_for(each, text, key, root) for key, each in schema.get("properties", {}).items()}
        case "array":
            return [value_for(schema.get("items", {}), text, name, root)]
        case "integer":
            return int(float(_found(NUMBER, text, "0")))
        case "number":
            return float(_found(NUMBER, text, "0"))
        case "boolean":
            return not re.search(r"\b(no|not|false|never)\b", text, re.IGNORECASE)
        case "null":
            return None
    return _string(schema.get("format", ""), name.lower(), text)


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
        quoted = " ".join(QUOTED.findall(text)) or text
        return next((each for each in map(_without_verb, NAME.findall(quoted)) if each), "Nobody")
    return _found(QUOTED, text, text)[:80].strip('"')


def _without_verb(name: str) -> str:
    return " ".join(word for word in name.split() if word not in NOT_NAMES)


def _found(pattern: re.Pattern[str], text: str, otherwise: str) -> str:
    match = pattern.search(text)
    return match[0] if match else otherwise
