"""A field of a request body accepts values of its own type only, and never converts others."""

from __future__ import annotations

import io
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from rest_framework.exceptions import ParseError
from rest_framework.serializers import Field, ValidationError

from conversations.api.error_responses import invalid
from conversations.api.parsers import ExactJSONParser, StrictJSONParser, parse_json
from conversations.api.serializer_fields import (
    COMPLAINTS_LIMIT,
    NAME_LIMIT,
    Boolean,
    Id,
    Integer,
    Json,
    Number,
    StrictSerializer,
    String,
)

ID = "01a208ce-7785-7206-a202-3517d745131f"
SAMPLES: dict[str, Any] = {
    "a string": "x",
    "digits": "7",
    "an id": ID,
    "an integer": 7,
    "a number": 7.5,
    "true": True,
    "an array": [1],
    "an object": {"a": 1},
}
FIELDS: dict[str, tuple[Field[Any, Any, Any, Any], set[str], str]] = {
    "String": (String(), {"a string", "digits", "an id"}, "Must be a string."),
    "Integer": (Integer(), {"an integer"}, "Must be an integer."),
    "Number": (Number(), {"an integer", "a number"}, "Must be a number."),
    "Boolean": (Boolean(), {"true"}, "Must be true or false."),
    "Id": (Id(), {"an id"}, ""),
    "Json": (Json(), set(SAMPLES), ""),
    "Json of objects": (Json(dict), {"an object"}, "Must be an object."),
    "Json of arrays": (Json(list), {"an array"}, "Must be an array."),
    "Json of either": (Json(str, list), {"a string", "digits", "an id", "an array"}, "Must be a string or an array."),
}


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("kind", FIELDS)
def test_a_field_takes_its_own_type_only(kind: str, sample: str) -> None:
    field, taken, complaint = FIELDS[kind]
    value = SAMPLES[sample]
    if sample in taken:
        found = field.run_validation(value)
        assert found == (UUID(value) if kind == "Id" else value)
        return
    with pytest.raises(ValidationError) as refused:
        field.run_validation(value)
    assert complaint in str(refused.value.detail)


@pytest.mark.parametrize("text", ["", ID[:-1], ID + "0", "7", "urn:x"])
def test_an_id_is_a_whole_one(text: str) -> None:
    with pytest.raises(ValidationError):
        Id().run_validation(text)


@pytest.mark.parametrize("value", ["a\0", "\ud800", [math.inf], {"a": 2**63}])
def test_json_that_can_not_be_stored_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Json().run_validation(value)


class Thing(StrictSerializer):
    """A serializer with a writable and a read-only field."""

    name = String(max_length=5)
    made = Integer(read_only=True)


def complaints(data: object) -> dict[str, object]:
    with pytest.raises(ValidationError) as refused:
        Thing.checked_values(data)
    return {**(invalid(refused.value.detail).details or {})}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"name": "x", "nam": 1}, {"nam": "Unknown field; allowed fields: name."}),
        ({"name": "x", "made": 1}, {"made": "This field can't be set: leave it out."}),
        ({}, {"name": "This field is required."}),
        (None, {"": "No data provided"}),
    ],
)
def test_a_body_has_the_fields_that_are_taken(data: object, expected: dict[str, object]) -> None:
    assert complaints(data) == expected


def test_a_body_that_is_no_object_is_refused_as_a_whole() -> None:
    assert list(complaints(["name"])) == [""]


def test_complaints_are_bounded_whatever_is_sent() -> None:
    found = complaints({"f" * 1000 + str(number): 1 for number in range(5)} | {f"g{at}": 1 for at in range(100)})
    assert len(found) == COMPLAINTS_LIMIT
    assert max(map(len, found)) == NAME_LIMIT


def test_the_fields_are_made_once_and_hold_nothing_of_what_they_checked() -> None:
    first, second = Thing.checked_values({"name": "one"}), Thing.checked_values({"name": "two"})
    assert (first, second) == ({"name": "one"}, {"name": "two"})
    assert complaints({"name": "too long"})
    assert Thing.checked_values({"name": "three"}) == {"name": "three"}


@pytest.mark.parametrize(
    ("detail", "details", "message"),
    [
        ({"a": ["x", "y"], "b": ["z"]}, {"a": "x y", "b": "z"}, "a: x y"),
        ({"a": {"b": ["x"]}}, {"a.b": "x"}, "a.b: x"),
        ({"a": [{}, {"b": ["x"]}]}, {"a.1.b": "x"}, "a.1.b: x"),
        ({"a": {0: ["x"]}}, {"a.0": "x"}, "a.0: x"),
        ({"a": {"non_field_errors": ["x"]}}, {"a": "x"}, "a: x"),
        ({"non_field_errors": ["x"]}, {"": "x"}, "x"),
        (["x"], {"": "x"}, "x"),
        ({"a": "x"}, {"a": "x"}, "a: x"),
    ],
)
def test_nested_complaints_are_told_by_their_paths(detail: object, details: object, message: str) -> None:
    error = invalid(detail)
    assert (error.details, error.message) == (details, message)


@pytest.mark.parametrize(("text", "number"), [("[]", 1), ("[1,2,3]", 4), ('{"a":[1,2],"b":"c"}', 5), ("5", 1)])
def test_a_document_has_no_more_values_than_are_taken(text: str, number: int) -> None:
    """Keys are not counted as values. An empty array is counted as one with a single element."""
    counted = number + (text == "[]")
    assert parse_json(text, counted) == parse_json(text)
    with pytest.raises(ValueError, match=f"more than {counted - 1} values"):
        parse_json(text, counted - 1)


def test_marks_in_strings_are_no_values() -> None:
    text = '{"a": "[[[,,,{{{", "\\"[,": "\\\\"}'
    assert parse_json(text, 3) == {"a": "[[[,,,{{{", '"[,': "\\"}


def test_a_document_of_many_quotes_is_refused_before_it_is_read() -> None:
    with pytest.raises(ValueError, match="more than 3 values"):
        parse_json('["",' + '"",' * 20 + '""]', 3)


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":2}', "[1e400]", "[NaN]", "[Infinity]", '["\\ud800"]', "[1,]", "{'a':1}", "[01]", "", "1 2", '["\t"]'],
)
def test_what_readers_would_understand_differently_is_refused(text: str) -> None:
    for exact in (False, True):
        with pytest.raises(ValueError, match="Malformed JSON"):
            parse_json(text, exact=exact)


@pytest.mark.parametrize("text", ['{"a": 1e400}', '[{"a": [-1e400]}]', '{"a": {"b": 1e309}}'])
def test_a_number_beyond_a_double_is_refused_at_every_depth(text: str) -> None:
    with pytest.raises(ValueError, match="beyond the range of a double"):
        parse_json(text, exact=True)
    with pytest.raises(ValueError, match="Malformed JSON"):
        parse_json(text)


def test_a_body_is_parsed_as_its_parser_says() -> None:
    assert StrictJSONParser().parse(io.BytesIO(b"[0.10]")) == [0.1]
    assert ExactJSONParser().parse(io.BytesIO(b"[0.10]")) == [Decimal("0.10")]
    for parser in (StrictJSONParser(), ExactJSONParser()):
        with pytest.raises(ParseError, match="Malformed JSON"):
            parser.parse(io.BytesIO(b"[0.10"))


def test_numbers_keep_their_digits_where_that_is_asked_for() -> None:
    text = "[0.10, 12345678901234567.89, 1, 1E2]"
    assert parse_json(text, exact=True) == [Decimal("0.10"), Decimal("12345678901234567.89"), 1, Decimal("1E2")]
    assert parse_json(text) == [0.1, 12345678901234567.89, 1, 100.0]
    assert [type(each) for each in parse_json(text)] == [float, float, int, float]
