"""The log has a line for each request with user, path and result, and no line has a secret in it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from config.logs import Redacting
from config.request_log import Logged, described
from config.security import POLICY, Argon2, content_policy
from conversations.asgi_types import Message, Receive, Scope, Send

DESCRIBED = [
    ({"client": ("1.2.3.4", 5), "method": "GET", "path": "/a/"}, '1.2.3.4 "GET /a/"'),
    ({"client": None, "method": "GET", "path": "/a/"}, '- "GET /a/"'),
    ({"method": "POST", "path": "/a/", "query_string": b"x=1&y=\xe9"}, '- "POST /a/?x=1&y=\xe9"'),
    ({"client": ["::1", 5], "path": "/ws/", "query_string": b"ticket=x"}, '::1 "WEBSOCKET /ws/?ticket=x"'),
]


@pytest.mark.parametrize(("scope", "line"), DESCRIBED, ids=[line for _, line in DESCRIBED])
def test_a_request_is_described(scope: dict[str, Any], line: str) -> None:
    assert described(scope) == line


SCOPE: dict[str, Any] = {"type": "http", "method": "GET", "path": "/a/", "headers": []}


async def nothing() -> Message:
    return {"type": "http.disconnect"}


async def logged(*messages: Message, fails: bool = False) -> list[Message]:
    """Answer a request with these messages; return those that were sent on."""
    sent: list[Message] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        if fails:
            raise ConnectionError("lost")

    async def send(message: Message) -> None:
        sent.append(message)

    await Logged(application)(SCOPE, nothing, send)
    return sent


START = {"type": "http.response.start", "status": 201, "headers": []}
BODY = {"type": "http.response.body", "body": b"x"}
OUTCOMES: dict[str, tuple[list[Message], str]] = {
    "a response": ([START, BODY], "201"),
    "a socket that was closed": ([{"type": "websocket.accept"}, {"type": "websocket.close", "code": 4401}], "4401"),
    "nothing": ([], "not answered"),
    "a socket that is open": ([{"type": "websocket.accept"}], "not answered"),
}


@pytest.mark.parametrize("name", OUTCOMES)
async def test_how_a_request_ended_is_logged(name: str, caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    settings.COLLOQUY_ACCESS_LOG = True
    messages, outcome = OUTCOMES[name]
    with caplog.at_level(logging.INFO, "config.request_log"):
        assert await logged(*messages) == messages
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith(f'- "GET /a/" {outcome} in ')
    assert line.endswith(" ms")


async def test_a_request_that_fails_is_logged_and_fails(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    settings.COLLOQUY_ACCESS_LOG = True
    with caplog.at_level(logging.INFO, "config.request_log"), pytest.raises(ConnectionError):
        await logged(START, fails=True)
    assert [" 201 in " in record.getMessage() for record in caplog.records] == [True]


async def test_unless_it_is_asked_for_there_is_no_line(caplog: pytest.LogCaptureFixture) -> None:
    assert settings.COLLOQUY_ACCESS_LOG is False
    with caplog.at_level(logging.INFO, "config.request_log"):
        assert await logged(START, BODY) == [START, BODY]
    assert caplog.records == []


def written(message: str) -> str:
    return Redacting("%(message)s").format(logging.LogRecord("x", logging.INFO, "x", 1, message, (), None))


REDACTED = {
    "/ws/?ticket=abc&x=1": "/ws/?ticket=[redacted]&x=1",
    "/ws/?x=1&TICKET=abc": "/ws/?x=1&TICKET=[redacted]",
    "token: abc, user: b": "token: [redacted], user: b",
    "{'password': 'abc', 'user': 'b'}": "{'password': '[redacted]', 'user': 'b'}",
    '{"password":"abc"}': '{"password":"[redacted]"}',
    "Authorization: bearer abc": "Authorization: bearer [redacted]",
    "colloquy_0123456789abcdefghi": "colloquy_[redacted]",
    "colloquy_server started": "colloquy_server started",
    "max_tokens=5, tokens: 7": "max_tokens=5, tokens: 7",
    "a bear ered": "a bear ered",
}


@pytest.mark.parametrize("line", REDACTED)
def test_secrets_are_left_out_and_nothing_else(line: str) -> None:
    assert written(line) == REDACTED[line]


@given(st.text("xyzXYZ0189-_~.ß", min_size=6, max_size=80), st.sampled_from(["ticket", "token", "password"]))
def test_no_secret_is_written_whatever_it_is(secret: str, name: str) -> None:
    for line in (f"{name}={secret}", f"{name}: '{secret}'", f'"{name}": "{secret}"', f"Bearer {secret}"):
        assert secret not in written(f"Before {line}, after")


def page(kind: str, **headers: str) -> HttpResponse:
    answer = HttpResponse("x", content_type=kind, headers=headers)
    found = content_policy(lambda _: answer)(RequestFactory().get("/"))
    assert found is answer
    return answer


def test_every_page_loads_nothing_from_elsewhere() -> None:
    assert page("text/html; charset=utf-8").headers["Content-Security-Policy"] == POLICY
    assert "Content-Security-Policy" not in page("application/json").headers
    stricter = page("text/html", **{"Content-Security-Policy": "default-src 'none'"})
    assert stricter.headers["Content-Security-Policy"] == "default-src 'none'"


def test_passwords_are_hashed_as_dear_as_owasp_recommends() -> None:
    """19 MiB, two rounds, in one thread."""
    hasher = Argon2()
    kind, version, costs, *_ = hasher.encode("secret", hasher.salt()).removeprefix("argon2$").split("$")
    assert (kind, version, costs) == ("argon2id", "v=19", "m=19456,t=2,p=1")
