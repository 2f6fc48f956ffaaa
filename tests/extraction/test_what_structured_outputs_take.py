"""The part of a schema that structured outputs support is sent as such; the rest is sent as instructions."""

from __future__ import annotations

from typing import Any

import pytest

from extraction.schemas.native import FORMATS, NOTE_LIMIT, NOTES_LIMIT, fit
from extraction.schemas.validation import Validator

STRING = {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def as_it_is(schema: Any) -> tuple[Any, Any, list[str]]:
    return schema, schema, []


FITTING: dict[str, tuple[Any, Any, list[str]]] = {
    "an object is closed": (
        {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
        closed(a=STRING),
        [],
    ),
    "an object that does not say that it is one": (
        {"properties": {"a": STRING}, "required": ["a"], "additionalProperties": False},
        closed(a=STRING),
        [],
    ),
    "one of several is any of several": (
        {"oneOf": [STRING, {"type": "null"}]},
        {"anyOf": [STRING, {"type": "null"}]},
        [],
    ),
    "all of one": as_it_is({"allOf": [STRING]}),
    "a list": as_it_is({"type": "array", "items": STRING}),
    "a list in an object": as_it_is(closed(a={"type": "array", "items": STRING})),
    "at least one item": as_it_is({"type": "array", "items": STRING, "minItems": 1}),
    "at least none": as_it_is({"type": "array", "items": STRING, "minItems": 0}),
    "at least two items": (
        {"type": "array", "items": STRING, "minItems": 2},
        {"type": "array", "items": STRING, "description": "(minItems: 2)"},
        ["/: minItems: 2"],
    ),
    "a format": as_it_is({"type": "string", "format": "email"}),
    "a format that is not taken": (
        {"type": "string", "format": "iri"},
        {"type": "string", "description": '(format: "iri")'},
        ['/: format: "iri"'],
    ),
    "what numbers may be": (
        closed(n={"type": "integer", "minimum": 1, "multipleOf": 2, "description": "Pairs."}),
        closed(n={"type": "integer", "description": "Pairs. (minimum: 1; multipleOf: 2)"}),
        ["/properties/n: minimum: 1; multipleOf: 2"],
    ),
    "letters that are no ASCII": (
        {"type": "string", "pattern": "^ü$"},
        {"type": "string", "description": '(pattern: "^ü$")'},
        ['/: pattern: "^ü$"'],
    ),
    "words of the schema alone": (
        {"type": "string", "title": "T", "default": "d", "$comment": "c", "examples": ["e"], "$id": "https://a.b/"},
        {"type": "string", "title": "T", "default": "d"},
        [],
    ),
    "a tuple's rest without a tuple": (
        {"type": "array", "items": STRING, "additionalItems": False},
        {"type": "array", "items": STRING},
        [],
    ),
    "scalars": as_it_is({"enum": ["a", 1, None, True]}),
    "definitions": (
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string", "maxLength": 3}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string", "description": "(maxLength: 3)"}}},
        ["/$defs/a: maxLength: 3"],
    ),
    "what stands deeper": (
        {"anyOf": [{"type": "array", "items": {"type": "string", "maxLength": 3}}]},
        {"anyOf": [{"type": "array", "items": {"type": "string", "description": "(maxLength: 3)"}}]},
        ["/anyOf/0/items: maxLength: 3"],
    ),
}


@pytest.mark.parametrize("name", FITTING)
def test_it_is_sent_so(name: str) -> None:
    schema, grammar, notes = FITTING[name]
    found = fit(schema)
    assert (found.grammar, found.notes) == (grammar, notes)


IN_WORDS: dict[str, tuple[Any, str]] = {
    "anything": ({}, "anything is allowed at its root"),
    "anything in a field": (closed(a={"description": "x"}), "anything is allowed at /properties/a"),
    "true": (closed(a=True), "true at /properties/a is no object"),
    "a tuple": (closed(a={"type": "array", "prefixItems": [STRING]}), "no tuples, as at /properties/a"),
    "a tuple of the older draft": ({"type": "array", "items": [STRING]}, "no tuples, as at its root"),
    "a constant that is a list": ({"const": [1]}, "only scalars are enumerated, not as at its root"),
    "a choice that is an object": (
        closed(a={"enum": ["b", {}]}),
        "only scalars are enumerated, not as at /properties/a",
    ),
    "a map": ({"type": "object", "additionalProperties": STRING}, "the object at its root is open"),
    "an object with other fields": ({**closed(a=STRING), "additionalProperties": {}}, "the object at its root is open"),
    "an object that may have other names": (
        {**closed(a=STRING), "propertyNames": STRING},
        "the object at its root is open",
    ),
    "a required field without a schema": (
        {**closed(a=STRING), "required": ["a", "b"]},
        "the object at its root is open",
    ),
    "an object or null without fields": ({"type": ["object", "null"]}, "the object at its root is open"),
    "an object and all of": ({**closed(a=STRING), "allOf": [STRING]}, "can't be combined as at its root"),
    "a reference and any of": (
        {"$ref": "#/$defs/a", "anyOf": [STRING], "$defs": {"a": STRING}},
        "can't be combined as at its root",
    ),
    "all of two objects": ({"allOf": [closed(a=STRING), STRING]}, "can't be combined as at its root"),
    "itself": ({"type": "array", "items": {"$ref": "#"}}, "it contains itself"),
    "itself by others": (
        {
            "$ref": "#/$defs/a",
            "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"items": {"$ref": "#/$defs/a"}}},
        },
        "it contains itself",
    ),
}


@pytest.mark.parametrize("name", IN_WORDS)
def test_it_is_told_in_words_and_why(name: str) -> None:
    schema, reason = IN_WORDS[name]
    found = fit(schema)
    assert found.grammar is None
    [note] = found.notes
    assert note.startswith("Claude is told the schema in words, and we enforce it: ")
    assert reason in note


def test_a_reference_by_name_is_told_in_words() -> None:
    found = fit({"$ref": "#here", "$defs": {"a": {"$anchor": "here"}}})
    assert (found.grammar, found.notes) == (None, ["Claude is told the schema in words, and we enforce it."])


def test_definitions_that_contain_themselves_but_are_not_used_do_no_harm() -> None:
    loop = {"properties": {"a": {"$ref": "#/$defs/loop"}}, "required": ["a"]}
    found = fit({**closed(a=STRING), "$defs": {"loop": loop}})
    assert found.grammar is not None


def optional(count: int) -> dict[str, Any]:
    return {"type": "object", "properties": {f"p{number}": STRING for number in range(count)}}


def unions(count: int) -> dict[str, Any]:
    half = {"type": ["string", "null"]}, {"anyOf": [STRING, {"type": "null"}]}
    return closed(**{f"p{number}": half[number % 2] for number in range(count)})


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (optional(24), None),
        (optional(25), "it has 25 optional fields, and structured outputs take 24"),
        (closed(a=optional(12), b={"type": "array", "items": optional(12)}), None),
        (closed(a=optional(12), b={"type": "array", "items": optional(13)}), "25 optional fields"),
        (unions(16), None),
        (unions(17), "it has 17 unions of types, and structured outputs take 16"),
        ({"allOf": [unions(17)]}, "17 unions"),
        ({"$defs": {"a": unions(17)}, **closed(b={"$ref": "#/$defs/a"})}, "17 unions"),
    ],
)  # fmt: skip
def test_there_are_only_so_many_optional_fields_and_unions(schema: Any, reason: str | None) -> None:
    found = fit(schema)
    assert (found.grammar is None) == bool(reason)
    assert reason is None or reason in found.notes[0]


def test_notes_are_short_and_not_too_many() -> None:
    long = {"type": "string", "pattern": "x" * 1000}
    found = fit(closed(**{f"p{number}": long for number in range(NOTES_LIMIT + 1)}))
    assert len(found.notes) == NOTES_LIMIT
    assert {len(note) for note in found.notes} == {NOTE_LIMIT}
    assert found.grammar is not None
    assert "x" * 1000 in found.grammar["properties"]["p0"]["description"]


def test_a_schema_is_not_changed_by_fitting_it() -> None:
    schema = closed(a={"type": "string", "maxLength": 3})
    fit(schema)
    assert schema == closed(a={"type": "string", "maxLength": 3})


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_every_format_that_is_sent_is_also_checked(format: str) -> None:
    """The formats that Claude enforces are those that the answer is validated against."""
    assert not Validator({"type": "string", "format": format}).accepts("no such thing at all ...")
