"""The sandbox accepts the JSON Schemas that structured outputs support (claude-api.md 7), and names what they don't."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.sandbox.output_schemas import OPTIONAL_LIMIT, PARTS_LIMIT, check_schema, resolve
from conversations.sandbox.refused import Refused


def closed(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*required],
        "additionalProperties": False,
        **more,
    }


def named(number: int) -> dict[str, Any]:
    return {f"f{at}": {"type": "string"} for at in range(number)}


STRING = {"type": "string"}
TAKEN: dict[str, dict[str, Any]] = {
    "anything": {},
    "a string": STRING,
    "a date": {"type": "string", "format": "date"},
    "a pattern": {"type": "string", "pattern": "^a"},
    "words": {"enum": ["a", "b"], "description": "Which.", "title": "T", "default": "a", "examples": ["b"]},
    "an object": closed({"a": STRING}, "a"),
    "an object of nothing": {"type": "object", "additionalProperties": False},
    "a list": {"type": "array", "items": STRING, "minItems": 1},
    "a list that may be empty": {"type": "array", "items": STRING, "minItems": 0},
    "one of several": {"anyOf": [STRING, {"type": "null"}]},
    "several together": {"allOf": [closed({"a": STRING}, "a")]},
    "a reference": closed(
        {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#/$defs/a"}}, "a", "b", **{"$defs": {"a": STRING}}
    ),
    "a reference into a property": closed({"a": STRING, "b": {"$ref": "#/properties/a"}}, "a", "b"),
    "as many optional fields as may be": closed(named(OPTIONAL_LIMIT)),
    "more fields that are required": closed(named(OPTIONAL_LIMIT + 9), *named(OPTIONAL_LIMIT + 9)),
}


@pytest.mark.parametrize("schema", TAKEN.values(), ids=TAKEN)
def test_a_schema_is_taken(schema: dict[str, Any]) -> None:
    check_schema(schema)


def chain(length: int) -> dict[str, Any]:
    """Return a schema of `length` definitions, each of which contains the next one twice."""
    twice = {f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**twice, f"d{length}": STRING}}


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = STRING
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


REFUSED: dict[str, tuple[Any, str]] = {
    "a list": ([], "must be an object"),
    "a word inside": ({"type": "array", "items": "string"}, "$.0 must be an object"),
    "an open object": ({"type": "object", "properties": {}}, "'additionalProperties' must be explicitly set to false"),
    "an object that says to be open": (closed({}) | {"additionalProperties": True}, "must be explicitly set to false"),
    "an open object by its fields": ({"properties": {"a": STRING}}, "must be explicitly set to false"),
    "an open object in a list": ({"type": "array", "items": {"type": "object"}}, "$.0: For 'object' type"),
    "a number's limit": ({"type": "number", "minimum": 0}, "For 'number' type, property 'minimum' is not supported"),
    "a text's limit": ({"type": "string", "maxLength": 5}, "property 'maxLength' is not supported"),
    "two items": ({"type": "array", "items": STRING, "minItems": 2}, "minItems must be 0 or 1"),
    "another format": ({"type": "string", "format": "colour"}, "format is not supported"),
    "a reference elsewhere": ({"$ref": "https://example.com/"}, "only local references"),
    "a reference to nothing": ({"$ref": "#/$defs/a"}, "there is nothing there"),
    "a reference through a word": ({"$ref": "#/type/a", "type": "string"}, "there is nothing there"),
    "a reference to itself": ({"$ref": "#"}, "recursive schemas are not supported"),
    "a list of itself": (
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}},
        "recursive schemas are not supported",
    ),
    "an optional field too many": (closed(named(OPTIONAL_LIMIT + 1)), "too many optional parameters: 25 > 24"),
    "optional fields of several objects": (
        closed({"a": closed(named(20)), "b": closed(named(5))}, "a", "b"),
        "too many optional parameters: 25 > 24",
    ),
    "optional fields by references": (
        closed(
            {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#/$defs/a"}}, "a", "b", **{"$defs": {"a": closed(named(13))}}
        ),
        "too many optional parameters: 26 > 24",
    ),
    "a schema that grows without end": (chain(60), "too complex"),
    "a schema that is endlessly deep": (deep(5000), "too complex"),
}


@pytest.mark.parametrize(("schema", "complaint"), REFUSED.values(), ids=REFUSED)
def test_a_schema_is_refused(schema: Any, complaint: str) -> None:
    with pytest.raises(Refused) as refused:
        check_schema(schema)
    assert refused.value.status == 400
    assert str(refused.value).startswith("output_config.format.schema: ")
    assert complaint in str(refused.value)


@pytest.mark.parametrize(("parts", "taken"), [(PARTS_LIMIT, True), (PARTS_LIMIT + 1, False)])
def test_a_schema_has_no_more_parts_than_can_be_compiled(parts: int, taken: bool) -> None:
    schema = {"anyOf": [STRING] * (parts - 1)}
    if taken:
        check_schema(schema)
        return
    with pytest.raises(Refused, match="too complex"):
        check_schema(schema)


def test_a_reference_is_to_the_whole_or_to_a_part_of_it() -> None:
    root: Any = {"$defs": {"a": STRING}}
    assert resolve("#", root) is root
    assert resolve("#/$defs/a", root) is STRING
