"""The extraction page's form keeps a schema's meaning, and quotes are marked by offsets in code points."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.client.runtimes import NODE, node
from tests.processes import ROOT

FRONT = ROOT / "extraction" / "static" / "extraction" / "front"
SAMPLES = [json.loads(file.read_text()) for file in sorted((ROOT / "extraction" / "samples").glob("*.json"))]
ROWS = {"type": "object", "properties": {"x": {"type": "number", "minimum": 0}, "y": {"type": "boolean"}}}


def object_of(required: Any = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


EXPRESSIBLE = [
    *SAMPLES,
    object_of(a={"type": "string", "pattern": "^a", "description": "with more"}),
    object_of(["a"], a={"type": ["string", "null"], "description": "or nothing"}),
    object_of(["a"], a={"anyOf": [{"type": "string", "description": "inside"}, {"type": "null"}]}),
    object_of(["a"], a={"anyOf": [ROWS, {"type": "null"}], "title": "A", "description": "outside"}),
    object_of(
        ["rows", "list"],
        rows={"type": "array", "items": ROWS, "minItems": 1},
        list={"type": "array", "items": {"type": "string", "minLength": 1}},
    ),
    object_of(
        kind={"type": "string", "enum": ["a", "b"]}, group={**ROWS, "required": ["x"], "additionalProperties": False}
    ),
    object_of(
        **{
            "__proto__": {"type": "string"},
            "constructor": {"type": "integer"},
            "a.b/c~d": {"type": "string", "format": "date"},
        }
    ),
    {
        **object_of(["a"], a={"type": "string", "format": "uri"}),
        "title": "T",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    },
]
OTHERS = [
    {"type": "array", "items": {"type": "string"}},
    object_of(a={"$ref": "#/$defs/a"}),
    object_of(a={"oneOf": [{"type": "string"}, {"type": "number"}]}),
    object_of(a={"enum": ["a"]}),
    object_of(a={"type": "array", "items": {"type": "array", "items": {"type": "string"}}}),
    object_of(["b"], a={"type": "string"}),
    object_of(a=True),
]
TRIPS = """
import { fieldsOf, isSame, schemaOf } from %s;
const told = %s.map((schema) => {
    try {
        const { fields, kept } = fieldsOf(schema);
        return isSame(JSON.parse(JSON.stringify(schemaOf(fields, kept))), schema);
    } catch (error) {
        return error.message;
    }
});
console.log(JSON.stringify(told));
"""
SEGMENTS = """
import { segmentsOf } from %s;
console.log(JSON.stringify(%s.map(([text, spans]) => segmentsOf(text, spans))));
"""
TEXT = "🍵 Tea\n\u00e9e\u0301 👩\u200d👩\u200d👧 12.50 €\n東京 \U0001d518\n"

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node")


def told(script: str, file: str, given: Any) -> Any:
    return json.loads(node(script % (json.dumps((FRONT / file).as_uri()), json.dumps(given))))


def test_a_schema_comes_out_of_the_form_as_it_went_in_or_does_not_go_in() -> None:
    found = told(TRIPS, "schema_fields.js", [*EXPRESSIBLE, *OTHERS])
    assert found[: len(EXPRESSIBLE)] == [True] * len(EXPRESSIBLE)
    assert all("JSON" in each for each in found[len(EXPRESSIBLE) :])


def test_a_text_is_marked_at_the_code_points_of_its_evidence() -> None:
    bounds = [
        (start, end) for start in range(len(TEXT)) for end in (start + 1, start + 4, len(TEXT)) if end <= len(TEXT)
    ]
    alone = [[TEXT, [{"path": "/a", "start": start, "end": end}]] for start, end in bounds]
    for (start, end), segments in zip(bounds, told(SEGMENTS, "segments.js", alone), strict=True):
        assert "".join(each["text"] for each in segments) == TEXT
        assert "".join(each["text"] for each in segments if each["paths"]) == TEXT[start:end]
    starts = range(0, len(TEXT) - 3, 2)
    overlapping = [{"path": f"/{start}", "start": start, "end": start + 3} for start in starts]
    (segments,) = told(SEGMENTS, "segments.js", [[TEXT, overlapping]])
    for start in starts:
        marked = "".join(each["text"] for each in segments if f"/{start}" in each["paths"])
        assert marked == TEXT[start : start + 3]
