"""Schemas that are too large or unusual for one request work all the same, or are refused with the place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conversations.sandbox.server import Sandbox
from extraction.schemas.dialect import Schema
from extraction.schemas.grouping import GROUP_LEAVES, groups
from extraction.schemas.validation import Validator
from tests.clients import Api
from tests.extraction.test_extracting import extract
from tests.extraction.test_hostile_schemas import PAUSE, heartbeat

FIELDS = {f"field_{number}": {"type": "string"} for number in range(400)}
LARGE: Schema = {
    "type": "object",
    "properties": {**FIELDS, "address": {"$ref": "#/$defs/address"}},
    "required": list(FIELDS),
    "additionalProperties": False,
    "$defs": {"address": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def deep(levels: int) -> Schema:
    """Return nested definitions, each used twice by the one above."""
    definitions: dict[str, Schema] = {
        f"d{level}": {
            "type": "object",
            "properties": {name: {"$ref": f"#/$defs/d{level + 1}"} for name in "xy"},
        }
        for level in range(levels)
    }
    return {**definitions, f"d{levels}": {"type": "string"}}


AWKWARD: Schema = {
    "type": "object",
    "$defs": {
        **deep(16),
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
        },
    },
    "properties": {
        "tree": {"$ref": "#/$defs/node"},
        "deep": {"$ref": "#/$defs/d0"},
        "code": {"type": "string", "pattern": "^[A-Z]{2}(?=\\d)\\d+$"},
        "rows": {"type": "array", "uniqueItems": True, "items": {"type": "object"}},
        **{f"union_{number}": {"anyOf": [{"type": "string"}, {"type": "null"}]} for number in range(50)},
    },
    "required": ["code", "rows"],
}


def test_four_hundred_fields_are_asked_for_in_groups_of_the_same_document(api: Api, sandbox: Sandbox) -> None:
    content = [{"type": "text", "text": "A long form."}, {"type": "text", "text": "With two pages."}]
    extraction = extract(api, content, LARGE, evidence=False)
    assert extraction["status"] == "succeeded", extraction["problems"]
    assert list(extraction["data"])[:400] == list(FIELDS)
    assert len(extraction["attempts"]) == 1
    bodies = [each.body for each in list(sandbox.requests)[-extraction["usage"]["requests"] :]]
    assert len(bodies) == 3
    assert len({str((body["system"], body["messages"][0]["content"][:2])) for body in bodies}) == 1
    assert all(body["messages"][0]["content"][1]["cache_control"] == {"type": "ephemeral"} for body in bodies)


def test_groups_have_every_field_once_and_their_definitions() -> None:
    divided = groups(LARGE, evidence=True, partial=False)
    assert [name for group in divided for name in group.schema["properties"]] == list(LARGE["properties"])
    assert all(group.leaves <= GROUP_LEAVES for group in divided)
    for group in divided:
        Validator(group.schema)


def test_what_a_part_of_a_document_need_not_have_is_not_required_of_it() -> None:
    [group] = groups(
        {**LARGE, "properties": {"a": {"type": "integer"}}, "required": ["a"]}, evidence=False, partial=True
    )
    assert Validator(group.schema).accepts({})
    assert not Validator(group.schema).accepts({"a": "x"})


def test_a_grammar_with_evidence_takes_data_and_quotes() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#/properties/a"}},
        "required": ["a", "b"],
        "$defs": {"a": {"type": "integer"}},
    }
    [group] = groups(schema, evidence=True, partial=False)
    assert group.grammar is not None
    checked = Validator(group.grammar)
    assert checked.accepts({"data": {"a": 1, "b": 2}, "evidence": [{"path": "/a", "quote": "1"}]})
    assert not checked.accepts({"data": {"a": 1, "b": "x"}, "evidence": []})
    assert not checked.accepts({"data": {"a": 1, "b": 2}})


def test_every_awkward_feature_together_works_and_holds_nobody_up(api: Api, other: Api) -> None:
    rows = ", ".join(f'{{"n": {number}}}' for number in range(1000))
    answer = f'{{"code": "AB7", "rows": [{rows}], "tree": {{"name": "a", "children": [{{"name": "b"}}]}}}}'
    with heartbeat(api.url) as took:
        extraction = extract(api, f"A tree. [[sandbox: json={json.dumps(answer)}; always]]", AWKWARD, evidence=False)
        again = extract(
            other, f"A tree. [[sandbox: json={json.dumps(answer.replace('AB7', 'ab'))}]]", AWKWARD, max_attempts=1
        )
    assert extraction["status"] == "succeeded", extraction["problems"]
    assert len(extraction["data"]["rows"]) == 1000
    assert (again["status"], [each["path"] for each in again["problems"]]) == ("invalid", ["/code"])
    assert max(took) < PAUSE


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        ({"code": {"pattern": "(["}}, "json_schema.properties.code.pattern"),
        ({"tree": {"$ref": "#/$defs/none"}}, "json_schema.properties.tree.$ref"),
        ({"rows": {"type": "arrays"}}, "json_schema.properties.rows.type"),
    ],
)
def test_what_is_wrong_with_a_schema_is_told_when_it_is_created(api: Api, broken: dict[str, Any], place: str) -> None:
    schema = {**AWKWARD, "properties": {**AWKWARD["properties"], **broken}}
    response = api.post("extraction/schemas/", {"name": "awkward", "json_schema": schema})
    assert response.status_code == 400
    assert place in response.json()["error"]["details"]
