"""A large schema is asked for in groups of its fields, whose size is the number of values."""

from __future__ import annotations

from typing import Any

import pytest

from extraction.schemas.grouping import EVIDENCE, GROUP_LEAVES, MOST_GROUPS, MOST_LEAVES, groups, relaxed, with_evidence

STRING: dict[str, Any] = {"type": "string"}


def fields(count: int, schema: Any = STRING, first: int = 0) -> dict[str, Any]:
    return {f"f{number}": schema for number in range(first, first + count)}


def closed(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    required = [*properties]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False, **more}


def sizes(schema: Any) -> list[tuple[int, bool]]:
    return [(group.leaves, group.lists) for group in groups(schema, evidence=False, partial=False)]


SIZES: dict[str, tuple[Any, tuple[int, bool]]] = {
    "a value": (STRING, (1, False)),
    "fields": (closed(fields(3)), (3, False)),
    "fields of objects": (closed({"a": closed(fields(2)), "b": STRING}), (3, False)),
    "a list, its items once": (closed({"a": {"type": "array", "items": closed(fields(4))}}), (4, True)),
    "a list of anything": (closed({"a": {"type": "array"}}), (1, True)),
    "a tuple": ({"prefixItems": [STRING, STRING, STRING]}, (3, True)),
    "every alternative": ({"type": "string", "anyOf": [STRING, closed(fields(2))]}, (3, False)),
    "definitions that are used": (
        closed({"a": {"type": "object", "$ref": "#/$defs/d"}, "b": STRING}, **{"$defs": {"d": closed(fields(5))}}),
        (6, False),
    ),
    "definitions that are not": (closed(fields(1), **{"$defs": {"d": closed(fields(5))}}), (1, False)),
    "itself": (closed({"a": STRING, "b": {"type": "object", "$ref": "#"}}), (2, False)),
    "a reference by name": (closed({"a": {"type": "object", "$ref": "#d"}}), (1, True)),
    "an object of any fields": ({"type": "object", "additionalProperties": STRING}, (1, True)),
    "a list or nothing": (closed({"a": {"type": ["array", "null"]}}), (1, True)),
    "anything": (closed({"a": {}}), (1, True)),
    "true and false": (closed({"a": True, "b": False}), (1, False)),
}


@pytest.mark.parametrize("name", SIZES)
def test_the_size_of_a_schema(name: str) -> None:
    schema, size = SIZES[name]
    assert sizes(schema) == [size]


def test_sizes_that_grow_without_end_are_not_counted_to_their_end() -> None:
    twice = {f"d{level}": closed(fields(2, {"$ref": f"#/$defs/d{level + 1}"})) for level in range(40)}
    schema = closed({"a": {"$ref": "#/$defs/d0"}}, **{"$defs": {**twice, "d40": STRING}})
    assert groups(schema, evidence=False, partial=False)[0].leaves == MOST_LEAVES


LARGE = closed(fields(GROUP_LEAVES + 1))
ONE: dict[str, Any] = {
    "as many values as one request takes": closed(fields(GROUP_LEAVES)),
    "more than all groups together have": closed(fields(GROUP_LEAVES * MOST_GROUPS + 1)),
    "other fields, too": {**LARGE, "additionalProperties": STRING},
    "fields by pattern": {**LARGE, "patternProperties": {"^x": STRING}},
    "a condition on its fields": {**LARGE, "if": {"required": ["f0"]}},
    "a combination": {**LARGE, "allOf": [{"required": ["f0"]}]},
    "a reference to all of it": {**LARGE, "properties": {**LARGE["properties"], "x": {"$ref": "#"}}},
    "a reference to another field": {**LARGE, "properties": {**LARGE["properties"], "x": {"$ref": "#/properties/f0"}}},
    "a list": {"type": "array", "items": LARGE},
}


@pytest.mark.parametrize("name", ONE)
def test_it_is_asked_for_at_once(name: str) -> None:
    assert len(groups(ONE[name], evidence=False, partial=False)) == 1


def test_fields_are_together_in_their_order_as_many_as_one_request_takes() -> None:
    large = closed({**fields(100), "list": {"type": "array", "items": closed(fields(60))}, **fields(90, first=100)})
    found = groups({**large, "title": "Form", "$defs": {"d": STRING}, "x": 1}, evidence=False, partial=False)
    assert [(group.leaves, group.lists) for group in found] == [(100, False), (150, True)]
    for group in found:
        assert group.grammar is None, "another format for each would be another prefix for Claude's cache"
        names = [*group.schema["properties"]]
        assert group.schema == {
            "title": "Form",
            "$defs": {"d": STRING},
            "type": "object",
            "properties": {name: large["properties"][name] for name in names},
            "required": names,
            "additionalProperties": False,
        }


def test_a_field_that_is_too_large_by_itself_is_a_group() -> None:
    large = closed({"a": STRING, "b": closed(fields(GROUP_LEAVES + 9)), "c": STRING})
    assert [size for size, _ in sizes(large)] == [1, GROUP_LEAVES + 9, 1]


def test_fields_that_may_be_missing_may_be_missing_in_their_group() -> None:
    large = {**LARGE, "required": ["f3", f"f{GROUP_LEAVES}"]}
    first, second = groups(large, evidence=False, partial=False)
    assert (first.schema["required"], second.schema["required"]) == (["f3"], [f"f{GROUP_LEAVES}"])


def test_references_to_definitions_do_not_keep_fields_together() -> None:
    for name in ("$defs", "definitions"):
        properties = {**LARGE["properties"], "x": {"type": "array", "items": {"$ref": f"#/{name}/d"}}}
        assert len(groups({**LARGE, "properties": properties, name: {"d": STRING}}, evidence=False, partial=False)) == 2


def test_of_a_part_of_a_document_nothing_is_required_but_within_lists() -> None:
    item = closed({"n": STRING})
    schema = closed({"a": closed({"b": STRING}), "c": {"type": "array", "minItems": 2, "items": item}}, minProperties=1)
    assert relaxed(schema) == {
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"b": STRING}, "additionalProperties": False},
            "c": {"type": "array", "items": item},
        },
        "additionalProperties": False,
    }
    assert relaxed(closed({"a": True}))["properties"] == {"a": True}


REFERENCES = {
    "#": "#/properties/data",
    "#/properties/a": "#/properties/data/properties/a",
    "#/$defs/d": "#/$defs/d",
    "#/definitions/d": "#/definitions/d",
    "#name": "#name",
}


@pytest.mark.parametrize("ref", REFERENCES)
def test_beside_its_evidence_a_schemas_references_lead_where_they_led(ref: str) -> None:
    found = with_evidence({**closed({"a": STRING, "b": {"$ref": ref}}), "$defs": {"d": {"items": {"$ref": ref}}}})
    assert found == {
        "type": "object",
        "properties": {"data": closed({"a": STRING, "b": {"$ref": REFERENCES[ref]}}), "evidence": EVIDENCE},
        "required": ["data", "evidence"],
        "additionalProperties": False,
        "$defs": {"d": {"items": {"$ref": REFERENCES[ref]}}},
    }


@pytest.mark.parametrize(("evidence", "fields_asked"), [(True, ["data", "evidence"]), (False, ["f0"])])
def test_a_grammar_asks_for_quotes_where_they_are_wanted(evidence: bool, fields_asked: list[str]) -> None:
    [group] = groups(closed(fields(1)), evidence=evidence, partial=False)
    assert group.grammar is not None
    assert [*group.grammar["properties"]] == fields_asked
    assert group.schema == closed(fields(1)), "what the data is held against has no evidence in it"
