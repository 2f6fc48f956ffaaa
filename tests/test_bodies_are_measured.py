"""Request bodies are measured as they arrive, and one that is too large never reaches the application."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from config.bodies import ANONYMOUS_LIMIT, HEAD_LIMIT, BodyLimits
from conversations.asgi_types import Message, Receive, Scope, Send

PATH = "/nowhere/"  # an unknown path, with the limit for anonymous requests
OVER = ANONYMOUS_LIMIT + 1


class Exchange:
    """One request to an application behind the size limits, which reads the whole body and responds with 204."""

    def __init__(
        self, headers: dict[str, str], parts: Iterable[bytes] = (), path: str = PATH, query: bytes = b""
    ) -> None:
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        self.scope: dict[str, Any] = {"type": "http", "path": path, "raw_path": path.encode(), "query_string": query}
        self.scope |= {"headers": raw, "method": "POST"}
        self._coming = [*parts]
        self._ends = len(self._coming)
        self.read: bytes | None = None
        """The body that the application received; None if it was not called."""
        self.length: str | None = None
        """The Content-Length that the application saw after it had read the body."""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.read = b""
        more = True
        while more:
            message = await receive()
            self.read += message.get("body", b"")
            more = message.get("more_body", False)
        self.length = dict(scope["headers"]).get(b"content-length", b"").decode()
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def receive(self) -> Message:
        part = self._coming.pop(0) if self._coming else b""
        return {"type": "http.request", "body": part, "more_body": bool(self._coming)}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message["body"]

    @property
    def parts_read(self) -> int:
        return self._ends - len(self._coming)

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["error"]
        return found


async def answered(headers: dict[str, str], parts: Iterable[bytes] = (), **more: Any) -> Exchange:
    exchange = Exchange(headers, parts, **more)
    await BodyLimits(exchange.application)(exchange.scope, exchange.receive, exchange.send)
    return exchange


async def test_a_body_of_the_largest_size_is_handed_on() -> None:
    found = await answered({"Content-Length": str(ANONYMOUS_LIMIT)}, [b"x" * ANONYMOUS_LIMIT])
    assert (found.status, len(found.read or b"")) == (204, ANONYMOUS_LIMIT)


async def test_a_larger_one_is_refused_by_its_length_before_any_of_it_is_read() -> None:
    found = await answered({"Content-Length": str(OVER)}, [b"x" * OVER])
    assert (found.status, found.parts_read, found.read) == (413, 0, None)
    assert found.error["type"] == "request_too_large"
    assert found.error["details"] == {"limit": ANONYMOUS_LIMIT}


async def test_a_body_without_a_length_is_handed_on_with_the_one_that_it_had() -> None:
    """Django ignores a body without a Content-Length."""
    found = await answered({"Transfer-Encoding": "chunked"}, [b"ab", b"", b"cde"])
    assert (found.status, found.read, found.length) == (204, b"abcde", "5")


@pytest.mark.parametrize("sizes", [[OVER], [ANONYMOUS_LIMIT, 1], [1] * 3 + [ANONYMOUS_LIMIT] * 5], ids=str)
async def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_large(sizes: list[int]) -> None:
    found = await answered({"Transfer-Encoding": "chunked"}, [b"x" * size for size in [*sizes, 1, 1]])
    assert found.status == 413
    assert sum(sizes[: found.parts_read - 1]) <= ANONYMOUS_LIMIT < sum(sizes[: found.parts_read])


async def test_a_body_without_a_length_of_the_largest_size_is_handed_on() -> None:
    found = await answered({"Transfer-Encoding": "chunked"}, [b"x"] * 4 + [b"x" * (ANONYMOUS_LIMIT - 4)])
    assert (found.status, found.length) == (204, str(ANONYMOUS_LIMIT))


async def test_no_length_is_no_body() -> None:
    found = await answered({})
    assert (found.status, found.read) == (204, b"")


@pytest.mark.parametrize("length", ["", "-1", "+5", "1e3", "0x10", "5.0", " 5", "5, 5", "five", "9" * 19, "\xb2"])
async def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    found = await answered({"Content-Length": length})
    assert (found.status, found.read) == (400, None)
    assert found.error["details"] == {"Content-Length": "not a number"}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "identity, gzip", "x"])
async def test_a_compressed_body_is_refused(encoding: str) -> None:
    found = await answered({"Content-Encoding": encoding, "Content-Length": "5"})
    assert (found.status, found.read) == (415, None)
    assert found.error["details"] == {"Content-Encoding": "not taken"}


@pytest.mark.parametrize("encoding", ["identity", "Identity", " identity ", ""])
async def test_a_body_as_it_is_may_say_so(encoding: str) -> None:
    assert (await answered({"Content-Encoding": encoding})).status == 204


async def test_the_address_and_the_headers_are_measured_together() -> None:
    fixed = len(PATH) + len("name") + len("query")
    exact = await answered({"name": "x" * (HEAD_LIMIT - fixed)}, query=b"query")
    over = await answered({"name": "x" * (HEAD_LIMIT - fixed + 1)}, query=b"query")
    assert (exact.status, over.status, over.read) == (204, 431, None)
    assert over.error["details"] == {"limit": HEAD_LIMIT}


async def test_a_refusal_is_in_the_contracts_shape() -> None:
    found = await answered({"Content-Length": str(OVER)})
    whole = json.loads(found.body)
    assert found.headers["content-type"] == "application/json"
    assert int(found.headers["content-length"]) == len(found.body)
    assert whole["type"] == "error"
    assert whole["request_id"] == found.headers["request-id"]
    other = await answered({"Content-Length": str(OVER)})
    assert other.headers["request-id"] != found.headers["request-id"]


@pytest.mark.parametrize("path", ["/api/auth/login/", "/admin/login/", "/api/conversations/", "/"])
@pytest.mark.parametrize("headers", [{}, {"Cookie": "theme=dark"}], ids=str)
async def test_without_credentials_every_path_has_the_smallest_limit(path: str, headers: dict[str, str]) -> None:
    found = await answered({**headers, "Content-Length": str(OVER)}, path=path)
    assert (found.status, found.error["details"]) == (413, {"limit": ANONYMOUS_LIMIT})
