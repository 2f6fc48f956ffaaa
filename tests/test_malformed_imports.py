"""Imported data is validated before it is stored; no import is answered with a 500."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.models import Attachment
from tests.clients import Api

ROOT = {"id": "a", "parent": None, "role": "user", "content": [{"type": "text", "text": "Hello"}]}


def asked(*blocks: Any, **attachments: Any) -> dict[str, Any]:
    return {"messages": [{**ROOT, "content": list(blocks)}], "attachments": attachments}


def answered(*blocks: Any) -> dict[str, Any]:
    return {"messages": [ROOT, {"id": "b", "parent": "a", "role": "assistant", "content": list(blocks)}]}


def shown(id: Any, kind: str = "document") -> dict[str, Any]:
    return {"type": kind, "source": {"type": "attachment", "attachment": id}}


def file(data: bytes, media_type: str = "text/plain") -> dict[str, str]:
    return {"media_type": media_type, "data": base64.b64encode(data).decode()}


def whole(change: dict[str, Any]) -> dict[str, Any]:
    return {"format": "colloquy/1", "conversation": {}, "messages": [ROOT], "active_leaf": None, **change}


MALFORMED: dict[str, dict[str, Any]] = {
    "a source without an attachment": asked({"type": "image", "source": {"type": "attachment"}}),
    "a source that is a word": asked({"type": "image", "source": "attachment"}),
    "a source without a type": asked({"type": "image", "source": {"attachment": "x"}}),
    "a source of an unknown type": asked({"type": "document", "source": {"type": "file", "file_id": "x"}}),
    "an attachment that is a list": asked(shown([])),
    "an attachment that is an object": asked(shown({})),
    "an attachment that is null": asked(shown(None)),
    "a document of blocks that are words": asked({"type": "document", "source": {"type": "content", "content": ["x"]}}),
    "a result of words": asked(
        {"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "x", "content": ["y"]}
    ),
    "a result whose image has no source": asked(
        {"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "x", "content": [{"type": "image"}]}
    ),
    "a type that is a list": asked({"type": ["text"], "text": "x"}),
    "text that is null": asked({"type": "text", "text": None}),
    "an unknown field": asked({"type": "text", "text": "x", "y": 1}),
    "text/plain that is no UTF-8": asked(shown("f"), f=file(b"\xff\xfe\x00a")),
    "an image that is text": asked(shown("f", "image"), f=file(b"hello", "image/png")),
    "text as an image": asked(shown("f", "image"), f=file(b"hello")),
    "a type that is not taken": asked(shown("f"), f=file(b"hello", "text/csv")),
    "base64 that is none": asked(shown("f"), f={"media_type": "text/plain", "data": "!"}),
    "base64 with white space": asked(shown("f"), f={"media_type": "text/plain", "data": "aGk\n"}),
    "an answer's text that is a list": answered({"type": "text", "text": []}),
    "an answer's text without text": answered({"type": "text"}),
    "citations that are a number": answered({"type": "text", "text": "x", "citations": 5}),
    "citations that are words": answered({"type": "text", "text": "x", "citations": ["y"]}),
    "thinking without thinking": answered({"type": "thinking", "signature": "x"}),
    "a signature that is a number": answered({"type": "thinking", "thinking": "x", "signature": 1}),
    "redacted thinking without data": answered({"type": "redacted_thinking"}),
    "a call whose id is long": answered({"type": "tool_use", "id": "x" * 300, "name": "y", "input": {}}),
    "a call whose name is null": answered({"type": "tool_use", "id": "x", "name": None, "input": {}}),
    "a call whose input is a list": answered({"type": "tool_use", "id": "x", "name": "y", "input": []}),
    "a search's result without its call": answered({"type": "web_search_tool_result", "content": []}),
    "a search's result without content": answered({"type": "web_search_tool_result", "tool_use_id": "x"}),
    "an unknown tool's result of a number": answered({"type": "dream_tool_result", "tool_use_id": 5, "content": []}),
    "a type that is a number": answered({"type": 5}),
    "a type of several lines": answered({"type": "a\nb"}),
    "a date that is none": {"messages": [{**ROOT, "created_at": "yesterday"}]},
    "a date beyond the calendar": {"messages": [{**ROOT, "created_at": "0001-01-01T00:00:00+23:59"}]},
    "a stop reason with NUL": {"messages": [{**ROOT, "stop_reason": "a\0"}]},
    "an id with NUL": {"messages": [{**ROOT, "id": "a\0"}]},
    "attachments that are a list": {"attachments": []},
    "messages that are an object": {"messages": {}},
    "metadata that is infinite": {"conversation": {"metadata": {"a": "INFINITE"}}},
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_import_is_refused_and_leaves_nothing(api: Api, case: str) -> None:
    body = json.dumps(whole(MALFORMED[case])).replace('"INFINITE"', "1e400")
    response = api.http.post("/api/conversations/import/", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == (415 if case == "a type that is not taken" else 400), response.text
    assert response.json()["error"]["message"]
    assert api.get("conversations/").json()["results"] == []
    assert not Attachment.objects.filter(owner=api.user).exists()


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_half_a_character_is_refused(api: Api, role: str) -> None:
    blocks = [{"type": "text", "text": "party \ud83c"}]
    change = asked(*blocks) if role == "user" else answered(*blocks)
    body = json.dumps(whole(change)).encode()
    response = api.http.post("/api/conversations/import/", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400


def test_a_file_comes_along_as_it_was(api: Api) -> None:
    data = "Grüße 🎉\r\n".encode()
    taken = api.post("conversations/import/", whole({**asked(shown("f"), f=file(data)), "active_leaf": "a"})).json()[
        "id"
    ]
    exported = api.get(f"conversations/{taken}/export/").json()
    assert [base64.b64decode(each["data"]) for each in exported["attachments"].values()] in ([data], [])
    assert api.post("conversations/import/", exported).status_code == 201


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["type", "text", "source", "attachment", "content", "tool_use_id", "id", "name", "input", "data", "media_type"]
KINDS = ["text", "image", "document", "tool_result", "tool_use", "thinking", "attachment", "content", "base64", "user"]
BLOCKS = st.recursive(
    JSON | st.sampled_from([*KINDS, "f"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150)
@given(
    block=st.builds(
        lambda kind, rest: {"type": kind, **rest},
        st.sampled_from(KINDS),
        st.dictionaries(st.sampled_from(NAMES), BLOCKS, max_size=4),
    ),
    of_user=st.booleans(),
)
def test_no_block_is_a_500(uvicorn_server: Any, block: dict[str, Any], of_user: bool) -> None:
    with Api(uvicorn_server.url) as api:
        change = asked(block, f=file(b"x")) if of_user else answered(block)
        response = api.post("conversations/import/", whole(change))
        assert response.status_code in (201, 400, 404, 415), response.text
        if response.status_code == 201:
            id = response.json()["id"]
            assert api.get(f"conversations/{id}/export/").status_code == 200
            assert api.get(f"conversations/{id}/export/", headers={"Accept": "text/markdown"}).status_code == 200
