"""Values of an enum get the schema's spelling, wherever in the schema the enum is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.schemas.spelling import with_spelling

COLOUR = {"enum": ["Red", "Dark Blue", 3, None]}
SPELT: dict[str, tuple[Any, Any, Any]] = {
    "a choice": (COLOUR, "dark blue", "Dark Blue"),
    "a constant": ({"const": "Yes"}, "YES", "Yes"),
    "a constant beside choices": ({"enum": ["No"], "const": "Yes"}, "yes", "yes"),
    "no choice of them": (COLOUR, "green", "green"),
    "a word that is right": ({"enum": ["red", "Red"]}, "Red", "Red"),
    "a number for a word": (COLOUR, 3, 3),
    "a field": ({"properties": {"c": COLOUR}}, {"c": "red", "d": "red"}, {"c": "Red", "d": "red"}),
    "any other field": (
        {"properties": {"c": True}, "additionalProperties": COLOUR},
        {"c": "red", "d": "red"},
        {"c": "red", "d": "Red"},
    ),
    "items": ({"items": COLOUR}, ["red", ["red"]], ["Red", ["red"]]),
    "a tuple and the rest": (
        {"prefixItems": [{}, COLOUR], "items": {"const": "X"}},
        ["red", "red", "x"],
        ["red", "Red", "X"],
    ),
    "a tuple without a rest": ({"prefixItems": [COLOUR]}, ["red", "red"], ["Red", "red"]),
    "a tuple of the older draft": (
        {"items": [COLOUR], "additionalItems": {"const": "X"}},
        ["red", "x"],
        ["Red", "X"],
    ),
    "an alternative": ({"anyOf": [{"type": "null"}, COLOUR]}, "red", "Red"),
    "one of several": ({"oneOf": [COLOUR, {"const": "Blue"}]}, "blue", "Blue"),
    "all of them": (
        {"allOf": [{"properties": {"a": COLOUR}}, {"properties": {"b": COLOUR}}]},
        {"a": "red", "b": "red"},
        {"a": "Red", "b": "Red"},
    ),
    "a definition": ({"$ref": "#/$defs/c", "$defs": {"c": COLOUR}}, "red", "Red"),
    "a reference beside fields": (
        {"$ref": "#/$defs/c", "properties": {"b": COLOUR}, "$defs": {"c": {"properties": {"a": COLOUR}}}},
        {"a": "red", "b": "red"},
        {"a": "Red", "b": "Red"},
    ),
    "a tree of itself": (
        {"properties": {"c": COLOUR, "below": {"items": {"$ref": "#"}}}},
        {"c": "red", "below": [{"c": "red", "below": [{"c": "RED"}]}]},
        {"c": "Red", "below": [{"c": "Red", "below": [{"c": "Red"}]}]},
    ),
    "a reference to nothing": ({"$ref": "#nowhere", "enum": ["Red"]}, "red", "red"),
    "a circle of references": ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a", **COLOUR}}}, "red", "Red"),
    "fields that are null": ({"properties": None}, {"a": "red"}, {"a": "red"}),
}


@pytest.mark.parametrize("name", SPELT)
def test_it_is_spelt_so(name: str) -> None:
    schema, data, spelt = SPELT[name]
    assert with_spelling(schema, data) == spelt


words = st.sampled_from(["red", "RED", "Red", "blue", "BLUE", "green", 3, None, True])
trees = st.recursive(
    words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
)
ANYWHERE = {"$ref": "#/$defs/any", "$defs": {"any": {"enum": ["Red", "Blue"], "items": {"$ref": "#/$defs/any"}}}}
ANYWHERE["$defs"]["any"]["additionalProperties"] = {"$ref": "#/$defs/any"}  # type: ignore[index]


def in_capitals(data: Any) -> Any:
    if isinstance(data, list):
        return [in_capitals(each) for each in data]
    if isinstance(data, dict):
        return {key: in_capitals(each) for key, each in data.items()}
    return {"red": "Red", "blue": "Blue"}.get(data.lower(), data) if isinstance(data, str) else data


@given(trees)
def test_choices_are_spelt_at_any_depth_and_nothing_else_changes(data: Any) -> None:
    spelt = with_spelling(ANYWHERE, data)
    assert spelt == in_capitals(data)
    assert with_spelling(ANYWHERE, spelt) == spelt
