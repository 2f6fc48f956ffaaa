"""Bad input gets an error in the contract's shape, and leaves nothing behind."""

from __future__ import annotations

import base64
import json
import socket
import uuid
from http.client import HTTPResponse
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from conversations.models import Attachment, Message, Turn
from tests.clients import Api
from tests.processes import ServerProcess


def image(data: str, media_type: str = "image/png") -> list[dict[str, Any]]:
    return [{"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}]


def document(**fields: Any) -> dict[str, Any]:
    return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}, **fields}


BAD_TURNS: dict[str, tuple[Any, int]] = {
    "nothing": ({}, 400),
    "no content": ({"content": None}, 400),
    "empty": ({"content": ""}, 400),
    "white space": ({"content": " \n"}, 400),
    "no blocks": ({"content": []}, 400),
    "a number": ({"content": 7}, 400),
    "an object": ({"content": {"type": "text", "text": "x"}}, 400),
    "a string as block": ({"content": ["x"]}, 400),
    "a block without type": ({"content": [{"text": "x"}]}, 400),
    "unknown block": ({"content": [{"type": "hologram"}]}, 400),
    "an assistant's block": ({"content": [{"type": "tool_use", "id": "x", "name": "y", "input": {}}]}, 400),
    "unknown field in a block": ({"content": [{"type": "text", "text": "x", "colour": "red"}]}, 400),
    "a mark that is none": ({"content": [{"type": "text", "text": "x", "cache_control": 5}]}, 400),
    "a mark for too long": (
        {"content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}}]},
        400,
    ),
    "a title that is a number": ({"content": [document(title=5)]}, 400),
    "a context that is a list": ({"content": [document(context=[])]}, 400),
    "citations that are a word": ({"content": [document(citations={"enabled": "yes"})]}, 400),
    "citations of a search result that are a number": (
        {
            "content": [
                {
                    "type": "search_result",
                    "source": "https://example.com/",
                    "title": "x",
                    "content": [{"type": "text", "text": "x"}],
                    "citations": 5,
                }
            ]
        },
        400,
    ),
    "a reference to a tool outside of a result": ({"content": [{"type": "tool_reference", "tool_name": "look"}]}, 400),
    "unknown field": ({"content": "x", "surprise": 1}, 400),
    "an array as body": ([], 400),
    "text that is no string": ({"content": [{"type": "text", "text": 7}]}, 400),
    "NUL": ({"content": "a\0b"}, 400),
    "half a surrogate pair": ({"content": "a\ud800b"}, 400),
    "a tiff": ({"content": image("SUkqAA==", "image/tiff")}, 415),
    "bad base64": ({"content": image("!!!")}, 400),
    "not the image that it says": ({"content": image(base64.b64encode(b"GIF89a" + b"\0" * 20).decode())}, 400),
    "too much base64": ({"content": image("A" * (10 * 1024 * 1024 + 4))}, 400),
    "http": ({"content": [{"type": "image", "source": {"type": "url", "url": "http://example.com/x.png"}}]}, 400),
    "file": ({"content": [{"type": "image", "source": {"type": "url", "url": "file:///etc/passwd"}}]}, 400),
    "model is a number": ({"content": "x", "model": 7}, 400),
    "max_tokens is a string": ({"content": "x", "max_tokens": "10"}, 400),
    "max_tokens is true": ({"content": "x", "max_tokens": True}, 400),
    "max_tokens is 0": ({"content": "x", "max_tokens": 0}, 400),
    "max_tokens is huge": ({"content": "x", "max_tokens": 10**30}, 400),
    "max_tokens is more than the model writes": ({"content": "x", "max_tokens": 500_000}, 400),
    "temperature is hot": ({"content": "x", "temperature": 1.1}, 400),
    "temperature is cold": ({"content": "x", "temperature": -0.1}, 400),
    "temperature is a string": ({"content": "x", "temperature": "0.5"}, 400),
    "a temperature for a model without": ({"content": "x", "model": "claude-opus-5-5", "temperature": 0.5}, 400),
    "an effort that the model does not take": ({"content": "x", "effort": "xhigh"}, 400),
    "stop_sequences is a string": ({"content": "x", "stop_sequences": "x"}, 400),
    "an empty stop sequence": ({"content": "x", "stop_sequences": [" "]}, 400),
    "system is a number": ({"content": "x", "system": 7}, 400),
    "a huge integer": ({"content": "x", "thinking": {"type": "enabled", "budget_tokens": 10**40}}, 400),
    "parent is no id": ({"content": "x", "parent": "x"}, 400),
    "parent is a number": ({"content": "x", "parent": 5}, 400),
    "parent is true": ({"content": "x", "parent": True}, 400),
    "regenerate is a number": ({"regenerate": 7}, 400),
    "parent is not there": ({"content": "x", "parent": "01a208ce-7785-7206-a202-3517d745131f"}, 404),
    "regenerate is not there": ({"regenerate": "01a208ce-7785-7206-a202-3517d745131f"}, 404),
    "content and regenerate": ({"content": "x", "regenerate": "01a208ce-7785-7206-a202-3517d745131f"}, 400),
}


@pytest.mark.parametrize("case", BAD_TURNS)
def test_a_bad_turn_is_refused_and_leaves_nothing(api: Api, case: str) -> None:
    body, status = BAD_TURNS[case]
    conversation = api.conversation()
    response = api.http.post(
        f"/api/conversations/{conversation}/turns/",
        content=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == status, response.text
    payload = response.json()
    assert payload["type"] == "error"
    assert payload["error"]["message"]
    assert payload["request_id"] == response.headers["request-id"]
    assert not Turn.objects.filter(user=api.user).exists()
    assert not Message.objects.filter(conversation__id=conversation).exists()
    assert not Attachment.objects.filter(owner=api.user).exists()


AMBIGUOUS = [
    '{"content": "a", "content": "b"}',
    '{"content": "a", "\\u0063ontent": "b"}',
    '{"content": "a", "thinking": {"type": "adaptive", "type": "disabled"}}',
    '{"content": "a", "temperature": 1e400}',
    '{"content": "a", "thinking": {"type": "enabled", "budget_tokens": -1e999}}',
]
"""JSON that parsers interpret differently."""


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"content":' * 50_000,
        "nonsense",
        '{"content": NaN}',
        "\x00",
        '"\\ud800"',
        "",
        "{" * 99_999,
        *AMBIGUOUS,
    ],
    ids=["brackets", "objects", "nonsense", "nan", "nul", "surrogate", "empty", "braces", *AMBIGUOUS],
)
def test_bodies_that_are_no_json_are_refused(api: Api, text: str) -> None:
    conversation = api.conversation()
    headers = {"Content-Type": "application/json"}
    response = api.http.post(f"/api/conversations/{conversation}/turns/", content=text.encode(), headers=headers)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert not Turn.objects.filter(user=api.user).exists()


def test_bytes_that_are_no_utf8_are_refused(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    response = api.http.post("/api/conversations/", content=b'{"title": "\xff"}', headers=headers)
    assert response.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"title": "a\0b"},
        {"title": 7},
        {"archived": "yes"},
        {"archived": 1},
        {"metadata": []},
        {"metadata": {"a": "\0"}},
        {"id": "x", "owner": "y"},
        {"active_leaf": "01a208ce-7785-7206-a202-3517d745131f"},
    ],
)
def test_a_bad_conversation_is_refused(api: Api, body: dict[str, Any]) -> None:
    response = api.post("conversations/", body)
    assert response.status_code == 400
    assert api.get("conversations/").json()["results"] == []


def test_the_errors_name_the_fields(api: Api) -> None:
    body = {"content": [{"type": "text", "text": "x"}, {"type": "text", "text": 7}]}
    error = api.post(f"conversations/{api.conversation()}/turns/", body).json()["error"]
    assert "content.1.text" in error["details"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"metadata": {"a": {"b": [1, "\0"]}}}, "metadata.a.b.1"),
        ({"metadata": {"a": 2**64}}, "metadata.a"),
        ({"tools": [{"name": "a", "input_schema": {"\0": 1}}]}, "tools.0.input_schema"),
        ({"system": "a\0"}, "system"),
    ],
)
def test_the_errors_name_places_in_json(api: Api, body: dict[str, Any], place: str) -> None:
    error = api.post("conversations/", body).json()["error"]
    assert list(error["details"]) == [place]
    assert error["message"] == f"{place}: {error['details'][place]}"


@pytest.mark.parametrize("path", ["nowhere/", "conversations/not-an-id/", "turns/%00/", "x" * 3000])
def test_bad_paths_are_not_found(api: Api, path: str) -> None:
    response = api.get(path)
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "not_found_error"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "conversations/", 405),
        ("POST", "me/", 405),
        ("GET", "auth/login/", 405),
        ("TRACE", "usage/?from=&group_by=zzz", 405),
        ("DELETE", "conversations/?page_size=abc", 405),
        ("PATCH", "usage/records/?zzz=1&zzz=2", 405),
        ("OPTIONS", "conversations/", 405),
        ("OPTIONS", f"extraction/batches/{uuid.UUID(int=1)}/results/", 405),
        ("OPTIONS", "me/export/", 405),
    ],
)
def test_a_method_that_is_not_there_is_said(api: Api, method: str, path: str, status: int) -> None:
    response = api.http.request(method, f"/api/{path}")
    assert response.status_code == status
    assert response.json()["type"] == "error"


def test_another_media_type_is_refused(api: Api) -> None:
    response = api.http.post("/api/conversations/", content=b"a=1", headers={"Content-Type": "text/csv"})
    assert response.status_code == 415


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        "7",
        "{}",
        '{"type": 7}',
        '{"type": "turn.explode"}',
        '{"type": "turn.follow"}',
        '{"type": "turn.follow", "turn": "x"}',
        '{"type": "turn.follow", "turn": "01a208ce-7785-7206-a202-3517d745131f", "after": -1}',
        '{"type": "ping", "surprise": 1}',
        '{"type": "ping", "type": "ping"}',
        '{"type": "ping", "ref": 1e400}',
        '{"type": "turn.create", "conversation": 7, "content": "x"}',
        "[" * 100_000,
    ],
)
def test_a_bad_frame_is_answered_and_the_socket_stays_open(api: Api, text: str) -> None:
    with api.socket() as socket:
        socket.connection.send(text)
        assert socket.receive()["type"] == "error"
        socket.send(ref="r")
        assert socket.receive()["ref"] == "r"
        socket.connection.send(b"\x00\x01")
        assert socket.receive()["type"] == "error"
        socket.send(type="ping")
        assert socket.receive() == {"type": "pong"}


@pytest.mark.parametrize("path", ["/", "/ws", "/ws/more/", "/nowhere/", "/%0A", "/%00", "/a%0Ab/", "//"])
def test_there_is_no_socket_at_another_path(server: ServerProcess, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(f"{server.url.replace('http', 'ws')}{path}"):
        pass
    assert refused.value.response.status_code == 403


def test_an_unknown_ordering_is_said(api: Api) -> None:
    for known in ("title", "-created_at", "-updated_at"):
        assert api.get(f"conversations/?ordering={known}").status_code == 200
    response = api.get("conversations/?ordering=colour")
    assert response.status_code == 400
    assert list(response.json()["error"]["details"]) == ["ordering"]


@pytest.mark.parametrize(
    ("request_line", "status"),
    [("FROBNICATE /api/me/ HTTP/1.1", 405), ("PURGE /api/me/ HTTP/1.1", 405), ("GET /api/me/ HTTP/x", 400)],
)
def test_what_no_http_method_is_and_no_http_is_refused_in_the_contracts_shape(
    server: ServerProcess, api: Api, request_line: str, status: int
) -> None:
    host = f"Host: 127.0.0.1:{server.port}"
    head = "\r\n".join([request_line, host, f"Authorization: {api.http.headers['authorization']}", "", ""])
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head.encode())
        response = HTTPResponse(connection)
        response.begin()
        payload = json.loads(response.read())
    assert (response.status, payload["type"]) == (status, "error")
    assert payload["error"]["type"] == "invalid_request_error"
    assert payload["request_id"] == response.headers["request-id"]
