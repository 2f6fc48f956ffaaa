"""Schemas that only seem to fit structured outputs, and recursive schemas."""

from __future__ import annotations

import time
from typing import Any

import pytest

from conversations.errors import InvalidRequest
from extraction.schemas.checking import check
from extraction.schemas.native import native
from extraction.schemas.spelling import with_spelling
from extraction.schemas.validation import Validator

Schema = dict[str, Any]


def of_strings(*names: str) -> Schema:
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}


UNION = {"anyOf": [{"type": "string"}, {"type": "null"}]}
UNIONS = {f"p{number}": UNION for number in range(17)}


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [of_strings("a"), of_strings("b")]},
        {**of_strings("a"), "allOf": [of_strings("b")]},
        {**of_strings("a"), "oneOf": [of_strings("b"), of_strings("c")]},
        {"anyOf": [of_strings("a")], "oneOf": [of_strings("b")]},
        {**of_strings("a"), "patternProperties": {"^x": {"type": "string"}}},
        {**of_strings("a"), "required": ["b"]},
        {"type": "object", "properties": {"a": {"type": ["object", "null"]}}},
        {"type": "object", "properties": {"a": {"enum": [{"b": 1}]}}},
        {"type": "object", "properties": UNIONS, "required": list(UNIONS)},
    ],
)
def test_closing_its_objects_must_not_change_what_a_schema_means(schema: Schema) -> None:
    assert native(schema) is None


def test_an_object_that_may_be_null_may_still_be_null() -> None:
    fitted = native({**of_strings("a"), "type": ["object", "null"]})
    assert fitted is not None
    assert Validator(fitted).accepts(None)


def test_shared_definitions_are_looked_at_once() -> None:
    depth = 60
    definitions = {
        f"d{level}": {
            "type": "object",
            "properties": {name: {"$ref": f"#/$defs/d{level + 1}"} for name in "xy"},
            "required": ["x", "y"],
        }
        for level in range(depth)
    }
    definitions[f"d{depth}"] = {"type": "string"}
    began = time.monotonic()
    assert native({"$ref": "#/$defs/d0", "$defs": definitions}) is not None
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("ref", ["#/nowhere", "#anchor", "#/type", "#/required", "#/type/x", "#/required/0"])
def test_a_reference_to_what_is_no_schema_is_refused(ref: str) -> None:
    with pytest.raises(InvalidRequest, match="is not a schema in it"):
        check({**of_strings("a"), "items": {"$ref": ref}})


def test_references_to_parts_of_the_schema_are_taken() -> None:
    schema = {
        "$defs": {"a/b": {"$anchor": "here"}},
        "allOf": [{"$ref": "#/$defs/a~1b"}, {"$ref": "#here"}, {"$ref": "#"}],
    }
    check(schema)


COLOUR = {"$defs": {"Colour": {"enum": ["Red", "Blue"]}}}


@pytest.mark.parametrize(
    ("schema", "data", "spelt"),
    [
        ({"properties": {"c": {"$ref": "#/$defs/Colour"}}, **COLOUR}, {"c": "RED"}, {"c": "Red"}),
        (
            {"items": {"anyOf": [{"$ref": "#/$defs/Colour"}, {"type": "null"}]}, **COLOUR},
            ["blue", None],
            ["Blue", None],
        ),
        ({"allOf": [{"$ref": "#"}, {"enum": ["Red"]}]}, "red", "Red"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "red", "red"),
    ],
)
def test_values_are_spelt_as_definitions_and_alternatives_have_them(schema: Schema, data: Any, spelt: Any) -> None:
    assert with_spelling(schema, data) == spelt
