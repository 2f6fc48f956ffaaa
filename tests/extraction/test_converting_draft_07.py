"""A schema of draft-07 keeps its meaning when it is converted to draft 2020-12, wherever its references lead."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft7Validator

from extraction.schemas.dialect import NoSuchPlace, at_pointer, every_schema, modern, pointer, pointer_steps, resolved
from extraction.schemas.validation import Validator

names = st.sampled_from(["a", "b", "items", "dependencies", "x/y", "ü %"])
data = st.recursive(
    st.none() | st.integers(0, 2) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
leaves: st.SearchStrategy[Any] = st.sampled_from(
    [True, False, {}, {"type": "string"}, {"type": "integer"}, {"const": 1}, {"enum": ["a", None]}, {"minItems": 2}]
)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    schemas = st.lists(inner, min_size=1, max_size=2)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "items": inner | schemas,
        "additionalItems": inner,
        "dependencies": st.dictionaries(names, inner | st.lists(names, max_size=2, unique=True), max_size=2),
        "properties": st.dictionaries(names, inner, max_size=2),
        "additionalProperties": inner,
        "anyOf": schemas,
        "not": inner,
        "definitions": st.dictionaries(names, inner, max_size=2),
    }
    return st.sets(st.sampled_from(sorted(keywords)), min_size=1, max_size=3).flatmap(
        lambda some: st.fixed_dictionaries({each: keywords[each] for each in sorted(some)})
    )


schemas = st.recursive(leaves, larger, max_leaves=8).filter(lambda schema: isinstance(schema, dict))


@given(schemas, data)
def test_both_drafts_accept_the_same_data(schema: Any, value: Any) -> None:
    assert Validator(schema).accepts(value) == Draft7Validator(schema).is_valid(value)


@given(schemas, st.data(), data)
def test_references_lead_to_what_they_led_to(schema: Any, drawn: st.DataObject, value: Any) -> None:
    """References by JSON Pointer to any schema in the document."""
    path, _ = drawn.draw(st.sampled_from([*every_schema(schema)]))
    ref = f"#/definitions/all{quote(pointer(path))}"
    whole = {"definitions": {"all": schema}, "properties": {"a": {"$ref": ref}}}
    assert Validator(whole).accepts({"a": value}) == Draft7Validator(whole).is_valid({"a": value})


@given(schemas)
def test_what_is_modern_stays_as_it_is(schema: Any) -> None:
    once = modern(schema)
    assert modern(once) == once


@given(st.lists(st.text("a~/01%é", max_size=4), max_size=4))
def test_a_pointer_has_the_steps_that_it_was_made_of(path: list[str]) -> None:
    steps = [step.replace("%", "%25") for step in path]
    assert pointer_steps(f"#{pointer(steps)}") == (path or ["#"])


TRANSLATED: dict[str, tuple[Any, Any]] = {
    "a tuple": ({"items": [{"const": 1}]}, {"prefixItems": [{"const": 1}]}),
    "a tuple and the rest": (
        {"items": [True], "additionalItems": {"const": 1}},
        {"prefixItems": [True], "items": {"const": 1}},
    ),
    "a tuple and no rest": ({"items": [True], "additionalItems": False}, {"prefixItems": [True], "items": False}),
    "a rest without a tuple, which says nothing": (
        {"additionalItems": {"items": [True]}},
        {"additionalItems": {"prefixItems": [True]}},
    ),
    "dependencies of both kinds": (
        {"dependencies": {"a": ["b"], "c": {"const": 1}}},
        {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"const": 1}}},
    ),
    "dependencies beside those of the newer draft": (
        {"dependencies": {"a": ["b"], "x": ["y"]}, "dependentRequired": {"a": ["c"]}},
        {"dependentRequired": {"a": ["c"], "x": ["y"]}},
    ),
    "dependencies of no name": ({"dependencies": {}}, {}),
    "an anchor": ({"$id": "#here"}, {"$anchor": "here"}),
    "an anchor of no name": ({"$id": "#"}, {}),
    "an id": ({"$id": "https://a.b/c"}, {"$id": "https://a.b/c"}),
    "the draft's name": ({"$schema": "http://json-schema.org/draft-07/schema#"}, {}),
    "data": ({"default": {"items": [1], "$schema": "x"}}, {"default": {"items": [1], "$schema": "x"}}),
    "what stands in others": (
        {"anyOf": [{"items": [True]}], "not": {"properties": {"a": {"items": [True]}}}},
        {"anyOf": [{"prefixItems": [True]}], "not": {"properties": {"a": {"prefixItems": [True]}}}},
    ),
    "a property of a keyword's name": (
        {"properties": {"dependencies": {"items": [True]}}},
        {"properties": {"dependencies": {"prefixItems": [True]}}},
    ),
    "what is malformed": (
        {"dependencies": 5, "properties": [], "anyOf": {}},
        {"dependencies": 5, "properties": [], "anyOf": {}},
    ),
}


@pytest.mark.parametrize("name", TRANSLATED)
def test_what_the_older_draft_says_is_said_in_the_newer(name: str) -> None:
    older, newer = TRANSLATED[name]
    assert modern(older) == newer


MOVED = {
    "#/items/0": "#/prefixItems/0",
    "#/additionalItems": "#/items",
    "#/dependencies/a": "#/dependentSchemas/a",
    "#/properties/items/items/1": "#/properties/items/prefixItems/1",
    "#/properties/dependencies": "#/properties/dependencies",
    "#/definitions/a~1b": "#/definitions/a~1b",
    "#/definitions/%C3%BC": "#/definitions/%C3%BC",
    "#/definitions/100%25": "#/definitions/100%25",
    "#": "#",
    "#name": "#name",
}


@pytest.mark.parametrize("ref", MOVED)
def test_a_reference_is_moved_along_with_what_it_leads_to(ref: str) -> None:
    schema = {
        "items": [{"const": 1}],
        "additionalItems": {"const": 2},
        "dependencies": {"a": {"const": 3}},
        "properties": {"items": {"items": [True, True]}, "dependencies": {"const": 4}},
        "definitions": {"a/b": {"const": 5}, "ü": {"const": 6}, "100%": {"const": 7}},
        "not": {"$ref": ref},
    }
    assert modern(schema)["not"] == {"$ref": MOVED[ref]}
    if ref.startswith("#/"):
        assert resolved(MOVED[ref], modern(schema)) == modern(resolved(ref, schema))


def test_a_step_into_the_items_of_a_list_is_a_keyword_and_one_into_a_tuple_is_an_index() -> None:
    schema = {
        "items": {"items": [True, {"items": {"items": [True]}}]},
        "not": {"$ref": "#/items/items/1/items/items/0"},
    }
    assert modern(schema)["not"] == {"$ref": "#/items/prefixItems/1/items/prefixItems/0"}


@pytest.mark.parametrize(
    "ref", ["#/a", "#/type", "#/anyOf/2", "#/anyOf/-1", "#/anyOf/x", "#/anyOf/0/const", "name", "/not"]
)
def test_a_reference_that_leads_to_no_schema_leads_nowhere(ref: str) -> None:
    root = {"type": "object", "anyOf": [{"const": 1}, True], "not": {}}
    with pytest.raises(NoSuchPlace):
        resolved(ref, root)


def test_true_and_false_are_schemas_that_references_lead_to() -> None:
    root = {"anyOf": [{"const": 1}, True], "not": False}
    assert [resolved(ref, root) for ref in ("#/anyOf/1", "#/not", "#")] == [True, False, root]
    assert at_pointer("#/anyOf/0/const", root) == 1


def test_every_schema_is_found_once_and_no_data_is_taken_for_one() -> None:
    shared = {"type": "string"}
    root: Any = {
        "properties": {"a": shared, "b": shared, "c": {"$ref": "#/components/d"}},
        "components": {"d": {"items": {"$ref": "#/components/d"}}, "e": {}},
        "default": {"properties": {"f": {}}},
        "items": [{"minLength": 1}, True],
        "anyOf": {"not": "a list"},
    }
    found = ["/".join(path) for path, _ in every_schema(root)]
    assert sorted(found) == ["", "components/d", "components/d/items", "items/0", "properties/b", "properties/c"]
