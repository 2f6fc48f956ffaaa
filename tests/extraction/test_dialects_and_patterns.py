"""Which schemas are accepted: the forms of draft-07, data that looks like a schema, and ECMA-262 patterns."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.errors import InvalidRequest
from extraction.schemas.checking import check
from extraction.schemas.dialect import modern
from extraction.schemas.native import native
from extraction.schemas.spelling import with_spelling
from extraction.schemas.validation import Validator
from tests.clients import Api
from tests.extraction.test_extracting import JANE, extract

Schema = dict[str, Any]

DRAFT_07 = "http://json-schema.org/draft-07/schema#"
PAIR = {"$schema": DRAFT_07, "items": [{"type": "string"}, {"type": "integer"}]}
NODE = {"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "fitting", "unfitting"),
    [
        (PAIR, ["a", 1, None], [1, "a"]),
        ({**PAIR, "additionalItems": False}, ["a", 1], ["a", 1, None]),
        ({**PAIR, "additionalItems": {"type": "null"}}, ["a", 1, None], ["a", 1, 2]),
        ({"items": {"type": "string"}, "additionalItems": False}, ["a", "b"], [1]),
        ({"definitions": {"a": {"type": "string"}}, "$ref": "#/definitions/a"}, "a", 1),
        ({"dependencies": {"a": ["b"]}}, {"a": 1, "b": 2}, {"a": 1}),
        ({"dependencies": {"a": {"required": ["b"]}}}, {"b": 1}, {"a": 1}),
        ({"dependencies": {"a": False}}, {}, {"a": 1}),
        ({"properties": {"x": {"$id": "#name", "type": "string"}, "y": {"$ref": "#name"}}}, {"y": "a"}, {"y": 1}),
        ({"properties": {"x": PAIR, "y": {"$ref": "#/properties/x/items/1"}}}, {"y": 1}, {"y": "a"}),
        (
            {"dependencies": {"a": {"required": ["b"]}}, "not": {"$ref": "#/dependencies/a"}},
            {},
            {"b": 1},
        ),
        (
            {"properties": {"items": {"type": "string"}, "dependencies": {"$ref": "#/properties/items"}}},
            {"dependencies": "a"},
            {"dependencies": 1},
        ),
        ({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}, "ab", 1),
        ({"contains": {"const": 1}}, [0, 1], [0]),
        (NODE, {"next": {"next": {}}}, {"next": {"other": {}}}),
        ({"$defs": {"a": {"$anchor": "here", "type": "null"}}, "$ref": "#here"}, None, 0),
        ({"$defs": {"a b/c~d%": {"type": "null"}}, "$ref": "#/$defs/a%20b~1c~0d%25"}, None, 0),
        ({"anywhere": {"else": {"type": "null"}}, "$ref": "#/anywhere/else"}, None, 0),
    ],
)
def test_schemas_of_both_drafts_mean_what_they_say(schema: Schema, fitting: Any, unfitting: Any) -> None:
    check(schema)
    assert Validator(schema).problems(fitting) == []
    assert Validator(schema).problems(unfitting)
    assert modern(modern(schema)) == modern(schema)
    with_spelling(schema, fitting)
    native(schema)


@pytest.mark.parametrize("keyword", ["default", "const", "enum", "examples"])
@pytest.mark.parametrize("data", [{"$ref": "#/nowhere"}, {"$ref": "https://a.b/"}, {"pattern": "("}, {"$ref": 7}])
def test_data_that_looks_like_a_schema_is_data(keyword: str, data: Any) -> None:
    value = [data] if keyword in ("enum", "examples") else data
    schema = {"type": "object", "properties": {"a": {"type": "object", keyword: value}}, "required": ["a"]}
    check(schema)
    assert Validator(schema).problems({"a": data}) == []


def test_a_default_that_looks_like_a_reference_is_sent_to_claude_as_it_is() -> None:
    word = {"type": "string", "default": {"$ref": "#/nowhere"}}
    fitted = native({"type": "object", "properties": {"a": word}, "required": ["a"]})
    assert fitted is not None
    assert fitted["properties"]["a"] == word


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#/$defs/b"}}},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": {"a": {"pattern": "(?P<y>a)"}}},
        {"properties": {"a": {"items": [{"type": "nonsense"}]}}},
        {"properties": {"a": {"dependencies": {"b": 7}}}},
        {"$defs": {"a": {"$ref": "other.json"}}},
        {"anywhere": {"type": "string", "$ref": "#/nowhere"}, "$ref": "#/anywhere"},
    ],
)
def test_what_is_wrong_with_a_schema_is_told_with_its_place(schema: Schema) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check(schema)
    [place] = refused.value.details or {}
    assert place.startswith("schema.")


@pytest.mark.parametrize(
    ("pattern", "fitting", "unfitting"),
    [
        (r"^\d{4}$", "2024", "2024\n"),
        (r"^\d+$", "12", "\u0661\u0662"),
        (r"^\w+$", "a_1", "\u00e9"),
        (r"^\s$", "\ufeff", "\u180e"),
        (r"^\p{L}+$", "\u00e9\u4e2d", "1"),
        (r"^\p{Script=Greek}$", "\u03b1", "a"),
        (r"^\P{Lu}$", "a", "A"),
        (r"^(?<y>\d{4})-(?<m>\d\d)$", "2024-05", "24-05"),
        (r"^(?<q>['\"]).*\k<q>$", "'a'", "'a\""),
        (r"^(a)\1$", "aa", "ab"),
        (r"^(?!x).*(?<=y)$", "ay", "xy"),
        (r"^[^]$", "\n", ""),
        (r"^.$", "\U0001f600", "\u2028"),
        (r"^\u{1F600}$", "\U0001f600", "x"),
        (r"^\ud83d\ude00$", "\U0001f600", "x"),
        (r"^[\w\-.]+\@x\/y$", "a-b@x/y", "a b@x/y"),
        (r"^\cJ\x41\0$", "\nA\0", "A"),
        ("b", "abc", "ac"),
        ("", "anything", None),
    ],
)
def test_patterns_are_those_of_ecma_262(pattern: str, fitting: str, unfitting: str | None) -> None:
    schema = {"type": "string", "pattern": pattern}
    check(schema)
    assert Validator(schema).accepts(fitting)
    assert not Validator(schema).accepts(unfitting)


def test_patterns_name_properties(api: Api) -> None:
    schema = {"patternProperties": {r"^\p{Lu}\d$": {"type": "string"}}, "additionalProperties": False}
    extraction = extract(api, '[[sandbox: json="{\\"A1\\": \\"x\\"}"]]', schema)
    assert extraction["data"] == {"A1": "x"}


def test_a_tuple_is_extracted(api: Api) -> None:
    extraction = extract(api, '[[sandbox: json="[\\"a\\", 1]"]]', {**PAIR, "type": "array"})
    assert (extraction["data"], extraction["attempts"][0]["native"]) == (["a", 1], False)
    assert extraction["schema"] == {**PAIR, "type": "array"}


@pytest.mark.parametrize(("max_tokens", "sent"), [(None, 4096), (7, 7), (64_000, 64_000)])
def test_the_length_of_answers_can_be_chosen(api: Api, sandbox: Any, max_tokens: int | None, sent: int) -> None:
    extraction = extract(api, JANE, max_attempts=1, **({"max_tokens": max_tokens} if max_tokens else {}))
    assert {each.body["max_tokens"] for each in list(sandbox.requests)[-extraction["usage"]["requests"] :]} == {sent}
    assert extraction["max_tokens"] == max_tokens


@pytest.mark.parametrize("max_tokens", [0, -1, 10**9, 10**6, 1.5, "7", None, True])
def test_only_a_length_that_the_model_writes_is_taken(api: Api, max_tokens: Any) -> None:
    body = {"schema": {"type": "object"}, "content": JANE, "max_tokens": max_tokens}
    response = api.post("extraction/extractions/", body)
    assert response.status_code == 400
    assert "max_tokens" in response.json()["error"]["details"]
