"""Whatever JSON is in a field of a request, the sandbox answers it, or refuses it as Claude would."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from conversations.sandbox.output_schemas import is_well_formed
from conversations.sandbox.refused import Refused
from conversations.sandbox.replies import directives_in
from conversations.sandbox.request_rules import validate
from conversations.sandbox.responder import Responder
from conversations.sandbox.server import Sandbox
from tests.clients import post

SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "format": "date", "description": "When", "pattern": "x"},
        "kind": {"enum": ["a", 1]},
        "rows": {
            "type": ["array", "null"],
            "minItems": 1,
            "items": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}, "additionalProperties": False},
        },
        "name": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["day"],
    "additionalProperties": False,
    "$defs": {"n": {"type": "number"}},
}


def png() -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


BY_FORMAT = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Jane, 2026-01-01"}],
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"},
}
WITH_EVERYTHING: dict[str, Any] = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 5000,
    "stream": True,
    "metadata": {"user_id": "u"},
    "stop_sequences": ["a"],
    "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "5m"}}],
    "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "tools": [
        {"name": "look", "description": "d", "input_schema": {"type": "object", "properties": {"a": {}}}},
        {
            "type": "web_search_20260318",
            "name": "web_search",
            "max_uses": 3,
            "allowed_domains": ["a.b"],
            "user_location": {"type": "approximate", "city": "B"},
        },
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png()}},
                {
                    "type": "document",
                    "source": {"type": "content", "content": [{"type": "text", "text": "x"}]},
                    "title": "t",
                    "citations": {"enabled": True},
                },
                {
                    "type": "search_result",
                    "source": "s",
                    "title": "t",
                    "content": [{"type": "text", "text": "q"}],
                    "citations": {"enabled": True},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "tool_use", "id": "a", "name": "look", "input": {"a": "b"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "content": [{"type": "text", "text": "r"}],
                    "is_error": False,
                }
            ],
        },
    ],
}
Place = tuple[str | int, ...]


def places_in(value: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the paths of all values within a value, the outermost first."""
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places_in(each, (*place, key))


def replaced(value: Any, place: Place, new: object) -> Any:
    """Return a copy of a value with another one at a path in it."""
    if not place:
        return new
    key, *rest = place
    copy = value.copy()
    copy[key] = replaced(value[key], tuple(rest), new)
    return copy


PLACES = [(body, place) for body in (BY_FORMAT, WITH_EVERYTHING) for place in places_in(body) if place]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(("type", "items", "$ref", "text", "content")), inner, max_size=2)
    ),
    max_leaves=4,
)


def status_of(body: dict[str, Any]) -> int:
    """Answer a body as the server does; return the status of the response."""
    try:
        validate(body, version="2026-10-21")
        directives, prompt = directives_in(body)
        Responder().message("msg_1", body, directives, prompt)
    except Refused as refused:
        return refused.status
    return 200


@pytest.mark.parametrize("body", [BY_FORMAT, WITH_EVERYTHING])
def test_these_bodies_are_answered(body: dict[str, Any]) -> None:
    assert status_of(body) == 200


@given(at=st.sampled_from(PLACES), new=ANYTHING)
@example(at=(BY_FORMAT, ("output_config", "format", "schema", "properties", "day", "format")), new=[])
@example(at=(BY_FORMAT, ("output_config", "format", "schema", "properties", "rows", "items")), new={"$ref": []})
def test_anything_in_any_place_is_answered_or_refused(at: tuple[dict[str, Any], Place], new: object) -> None:
    body, place = at
    assert status_of(replaced(body, place, new)) in (200, 400, 404)


@pytest.mark.parametrize("new", [None, 5, "x", [], {}, [[]], {"type": []}, {"$ref": {}}], ids=str)
def test_every_place_is_tried_with_every_type(new: object) -> None:
    for body, place in PLACES:
        assert status_of(replaced(body, place, new)) in (200, 400, 404), place


MALFORMED: list[Any] = [
    5,
    {"properties": 5},
    {"properties": {"a": 5}},
    {"anyOf": {}},
    {"items": 5},
    {"items": [5]},
    {"type": ["string", 5]},
    {"type": "text"},
    {"required": [5]},
    {"required": "a"},
    {"$ref": []},
    {"minItems": True},
    {"$defs": {"a": {"enum": "x"}}},
]


@pytest.mark.parametrize("schema", MALFORMED, ids=str)
def test_what_is_no_schema_is_known(schema: Any) -> None:
    assert not is_well_formed(schema)


@pytest.mark.parametrize("schema", [{}, True, SCHEMA, {"items": [{}, True]}, {"oneOf": [{}], "x": 5}], ids=str)
def test_what_is_a_schema_is_known(schema: Any) -> None:
    assert is_well_formed(schema)


def test_what_is_no_schema_in_a_text_is_text() -> None:
    body = {**BY_FORMAT, "messages": [{"role": "user", "content": 'Tea {"properties": {"a": 5}}'}]}
    del body["output_config"]
    assert status_of(body) == 200


@pytest.mark.parametrize("text", [b'{"model": NaN}', b'{"model": "\\ud800"}', b"\xff", b'{"a": ' * 100_000])
def test_what_is_no_json_is_refused(sandbox: Sandbox, text: bytes) -> None:
    headers = {"x-api-key": "test", "anthropic-version": "2023-06-01", "content-type": "application/json"}
    response = post(f"{sandbox.url}/v1/messages", content=text, headers=headers)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")
