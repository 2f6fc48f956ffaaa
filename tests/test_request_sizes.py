"""A request that is too large is refused before it is processed, over every transport."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx2
import pytest

from conversations.api.parsers import VALUES_LIMIT, parse_json
from conversations.models import Attachment
from tests import clients
from tests.clients import Api
from tests.processes import ServerProcess

MB = 1024 * 1024
ANONYMOUS = 64 * 1024
JSON = {"Content-Type": "application/json"}


@contextmanager
def raw(server: ServerProcess) -> Iterator[socket.socket]:
    """Provide a raw TCP connection to the server."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        yield connection


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Return the status of the response, and the beginning of its body."""
    got = b""
    while b"\r\n\r\n" not in got or got.endswith(b"\r\n\r\n"):
        part = connection.recv(65536)
        if not part:
            break
        got += part
    return int(got.split(b" ", 2)[1]), got.partition(b"\r\n\r\n")[2]


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode()


def in_chunks(size: int) -> Iterator[bytes]:
    """Yield a body of `size` bytes, which an HTTP client sends without a Content-Length."""
    for _ in range(size // ANONYMOUS):
        yield b" " * ANONYMOUS


def too_large(response: httpx2.Response) -> None:
    assert response.status_code == 413, response.text
    payload = response.json()
    assert payload["type"] == "error"
    assert payload["error"]["type"] == "request_too_large"
    assert payload["request_id"] == response.headers["request-id"]


@pytest.mark.parametrize("path", ["/api/auth/login/", "/api/conversations/", "/admin/login/", "/nowhere/"])
@pytest.mark.parametrize("length", [ANONYMOUS + 1, 300 * MB])
def test_a_stranger_is_refused_before_the_body_comes(server: ServerProcess, path: str, length: int) -> None:
    with raw(server) as connection:
        connection.sendall(head(path, f"Content-Length: {length}"))
        status, body = answer(connection)
    assert status == 413
    assert json.loads(body)["error"]["details"] == {"limit": ANONYMOUS}


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/auth/login/", ANONYMOUS),
        ("/api/conversations/", 32 * MB),
        ("/api/conversations/01a208ce-7785-7206-a202-3517d745131f/turns/", 32 * MB),
        ("/api/attachments/", 32 * MB + ANONYMOUS),
        ("/api/conversations/import/", 256 * MB),
        ("/api/me/import/", 256 * MB + 64 * 1024),
        ("/api/extraction/extractions/", 32 * MB),
    ],
)
def test_every_path_has_its_limit(server: ServerProcess, api: Api, path: str, limit: int) -> None:
    with raw(server) as connection:
        connection.sendall(head(path, f"Authorization: Bearer {api.token}", f"Content-Length: {limit + 1}"))
        status, body = answer(connection)
    assert status == 413
    assert json.loads(body)["error"]["details"] == {"limit": limit}


@pytest.mark.parametrize("kind", ["uvicorn_server", "daphne_server"])
def test_a_body_without_a_length_is_measured_as_it_comes(kind: str, request: pytest.FixtureRequest) -> None:
    server: ServerProcess = request.getfixturevalue(kind)
    too_large(clients.post(f"{server.url}/api/auth/login/", content=in_chunks(2 * ANONYMOUS), headers=JSON))
    with Api(server.url) as api:
        too_large(api.http.post("/api/conversations/", content=in_chunks(33 * MB), headers=JSON))


def test_a_body_without_a_length_is_read(api: Api) -> None:
    body = iter([b'{"title":', b' "in parts"}'])
    response = api.http.post("/api/conversations/", content=body, headers=JSON)
    assert response.status_code == 201
    assert response.json()["title"] == "in parts"


def test_a_client_that_sends_all_first_gets_its_answer_and_keeps_its_connection(server: ServerProcess) -> None:
    with clients.client(base_url=server.url) as client:
        too_large(client.post("/api/auth/login/", content=b" " * 40 * MB, headers=JSON))
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_compressed_bodies_are_not_taken(api: Api, encoding: str) -> None:
    response = api.http.post("/api/conversations/", content=b"{}", headers={**JSON, "Content-Encoding": encoding})
    assert response.status_code == 415
    assert response.json()["error"]["type"] == "unsupported_media_type"


@pytest.mark.parametrize("credentials", [{"Authorization": "Bearer colloquy_x"}, {"Cookie": "sessionid=x"}])
def test_who_shows_credentials_that_are_not_valid_is_told_so(
    server: ServerProcess, credentials: dict[str, str]
) -> None:
    with raw(server) as connection:
        lines = [f"{name}: {value}" for name, value in credentials.items()]
        connection.sendall(head("/api/conversations/import/", f"Content-Length: {200 * MB}", *lines))
        status, body = answer(connection)
    assert status == 401
    assert json.loads(body)["error"]["type"] == "authentication_error"


def test_a_file_that_is_too_large_is_refused(api: Api) -> None:
    too_large(api.http.post("/api/attachments/", files={"file": ("x.txt", b"x" * (32 * MB + 1))}))
    assert not Attachment.objects.filter(owner=api.user).exists()


def test_large_headers_are_refused(api: Api) -> None:
    response = api.get("me/", headers={f"X-{number}": "x" * 8000 for number in range(9)})
    assert response.status_code == 431, response.text
    assert response.json()["type"] == "error"
    assert api.get("me/", headers={"X-Most": "x" * 32_000}).status_code == 200


@pytest.mark.parametrize(
    "beginning",
    [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\nHost: x\r\n"],
    ids=["line", "header", "headers"],
)
def test_a_head_without_an_end_is_refused(server: ServerProcess, beginning: bytes) -> None:
    more = b"X-Y: 1\r\n" if beginning.endswith(b"\n") else b"xxxxxxxx"
    with raw(server) as connection:
        connection.sendall(beginning)
        sent = 0
        with suppress(OSError):
            while sent < 100 * MB:
                sent += connection.send(more * 1000)
    assert sent < 10 * MB


BOMBS: dict[str, Callable[[], bytes]] = {
    "a million keys": lambda: b'{"metadata": {' + b",".join(b'"k%d":1' % at for at in range(1_000_000)) + b"}}",
    "a million keys with commas in them": lambda: (
        b'{"metadata": {' + b",".join(b'"a,%d":1' % at for at in range(500_000)) + b"}}"
    ),
    "a million numbers": lambda: b'{"metadata": {"a": [' + b"0," * 1_000_000 + b"0]}}",
    "a million lists": lambda: b'{"metadata": {"a": [' + b"[]," * 1_000_000 + b"[]]}}",
    "a million brackets": lambda: b"[" * 1_000_000,
    "a million quotation marks": lambda: b'"' * 1_000_000,
    "nested 1,000 deep": lambda: b'{"metadata": {"a": ' + b"[" * 1000 + b"]" * 1000 + b"}}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_json_that_is_dear_to_parse_is_refused_at_once(api: Api, name: str) -> None:
    bomb = BOMBS[name]()
    begun = time.process_time()
    with pytest.raises(ValueError, match="JSON"):
        parse_json(bomb)
    assert time.process_time() - begun < 1
    response = api.http.post("/api/conversations/", content=bomb, headers=JSON)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_as_many_values_as_are_taken_are_taken() -> None:
    most = [0] * (VALUES_LIMIT - 1)
    assert parse_json(json.dumps(most)) == most
    with pytest.raises(ValueError, match="values"):
        parse_json(json.dumps([*most, 0]))
    prose = {"a": 'To [be], or {not}: "that", \\ ' * VALUES_LIMIT}
    assert parse_json(json.dumps(prose)) == prose


def test_a_long_key_over_many_values_is_not_said_for_each(api: Api) -> None:
    body: dict[str, Any] = {"metadata": {"k" * MB: [{"a": 0}] * 20_000}}
    begun = time.monotonic()
    assert api.post("conversations/", body).status_code == 201
    assert time.monotonic() - begun < 10
    assert api.post("conversations/", {"metadata": {"k" * MB: ["\0"]}}).status_code == 400
    unknown = api.post("conversations/", {f"{at}" + "k" * 1000: 0 for at in range(5000)})
    assert unknown.status_code == 400
    assert len(unknown.content) < 10_000
