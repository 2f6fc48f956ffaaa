"""Schemas: which are refused, how they are converted for structured outputs, and how data is validated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.contract.extraction_types import Problem
from conversations.errors import InvalidRequest
from conversations.sandbox.filled_schema import filled
from conversations.sandbox.output_schemas import check_schema
from extraction.schemas.checking import check
from extraction.schemas.native import native
from extraction.schemas.spelling import with_spelling
from extraction.schemas.validation import PROBLEMS_LIMIT, Validator

Schema = Any


def problems(schema: Schema, data: Any) -> list[Problem]:
    return Validator(schema).problems(data)


def objects(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """Return a strategy for object schemas all of whose properties are required."""
    named = st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3)
    return named.map(lambda some: {"type": "object", "properties": some, "required": sorted(some)})


SCALARS: st.SearchStrategy[Schema] = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "format": "email"},
        {"type": "integer", "minimum": 0, "maximum": 10},
        {"type": "number", "multipleOf": 0.5},
        {"type": "boolean"},
        {"enum": ["Red", "Blue", 3, None]},
        {"const": "fixed"},
        {"type": "string", "minLength": 0, "maxLength": 900, "description": "A word."},
    ]
)
SCHEMAS = objects(
    st.recursive(
        SCALARS,
        lambda inner: (
            objects(inner)
            | inner.map(lambda each: {"type": "array", "items": each, "maxItems": 9})
            | st.lists(inner, min_size=1, max_size=2).map(lambda some: {"oneOf": some})
        ),
        max_leaves=6,
    )
)


@given(SCHEMAS)
def test_structured_outputs_take_what_is_made_for_them(schema: Schema) -> None:
    fitted = native(schema)
    if fitted is not None:
        check(fitted)
        check_schema(fitted)


@given(SCHEMAS)
def test_fitting_a_schema_again_changes_nothing(schema: Schema) -> None:
    fitted = native(schema)
    assert fitted is None or native(fitted) == fitted


@given(SCHEMAS)
def test_a_schema_without_unions_is_always_expressed(schema: Schema) -> None:
    assert "oneOf" in str(schema) or native(schema) is not None


def test_what_structured_outputs_do_not_take_is_told_in_the_description() -> None:
    schema = {
        "type": "object",
        "properties": {"age": {"type": "integer", "minimum": 18, "description": "In years."}},
        "required": ["age"],
    }
    fitted = native(schema)
    assert fitted is not None
    assert fitted["additionalProperties"] is False
    age = fitted["properties"]["age"]
    assert "minimum" not in age
    assert age["description"].startswith("In years.")
    assert "minimum: 18" in age["description"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
        {"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}}},
        {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(25)}},
    ],
)
def test_what_structured_outputs_cannot_express_is_left_to_the_prompt(schema: Schema) -> None:
    assert native(schema) is None


@given(SCHEMAS)
def test_data_that_fits_has_no_problems(schema: Schema) -> None:
    fitted = native(schema)
    if fitted is not None:
        assert problems(fitted, filled(fitted, "Jane, jane@example.com, 5").value) == []


def test_problems_say_where_by_json_pointer() -> None:
    schema = {"properties": {"a/b": {"items": {"type": "integer"}}, "c~d": {"type": "string"}}}
    found = problems(schema, {"a/b": [1, "two"], "c~d": 3})
    assert [problem["path"] for problem in found] == ["/a~1b/1", "/c~0d"]
    assert '"two" is not of type "integer"' in found[0]["message"]


@pytest.mark.parametrize(
    ("format", "value"),
    [
        ("email", "jane"),
        ("date", "2026-02-30"),
        ("date-time", "today"),
        ("uri", "not one"),
        ("uuid", "7"),
        ("ipv4", "1.2"),
    ],
)
def test_formats_are_checked(format: str, value: str) -> None:
    assert [problem["path"] for problem in problems({"items": {"format": format}}, [value])] == ["/0"]


def test_there_are_only_so_many_problems() -> None:
    assert len(problems({"items": {"type": "string"}}, list(range(500)))) == PROBLEMS_LIMIT


@pytest.mark.parametrize(
    "schema",
    [
        [],
        {"type": "nonsense"},
        {"properties": []},
        {"pattern": "("},
        {"$ref": "https://example.com/schema"},
        {"$ref": "file:///etc/passwd"},
        {"properties": {"a": {"anyOf": [{"$ref": "other.json"}]}}},
    ],
)
def test_what_is_not_a_schema_of_its_own_is_refused(schema: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check(schema)
    assert refused.value.details


@given(SCHEMAS)
def test_a_schema_is_taken_as_it_is(schema: Schema) -> None:
    check(schema)


@pytest.mark.parametrize(
    ("schema", "data", "spelt"),
    [
        ({"enum": ["Red", "Blue"]}, "RED", "Red"),
        ({"enum": ["Red", "red"]}, "red", "red"),
        ({"enum": ["Red"]}, "Green", "Green"),
        ({"const": "Yes"}, "yes", "Yes"),
        ({"items": {"enum": ["a"]}}, ["A", 1], ["a", 1]),
        ({"properties": {"x": {"enum": ["a", None]}}}, {"x": "A", "y": "A"}, {"x": "a", "y": "A"}),
    ],
)
def test_enum_values_are_spelt_as_the_schema_has_them(schema: Schema, data: Any, spelt: Any) -> None:
    assert with_spelling(schema, data) == spelt
