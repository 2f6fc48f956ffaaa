"""A log line names its request, turn and user, and says why a turn failed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.up import Up

Logged = tuple[Api, list[str]]


@pytest.fixture(scope="module")
def logged(database: str, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    """Provide a user of a server with an access log, and the lines of its log after it was stopped."""
    variables = {"DATABASE_URL": database, "ANTHROPIC_BASE_URL": sandbox.url, "ANTHROPIC_API_KEY": "test"}
    folder = str(tmp_path_factory.mktemp("logs"))
    running = Up(folder, "serve", "--port", "{port}", COLLOQUY_ACCESS_LOG="true", **variables)
    running.wait_until_up()
    lines: list[str] = []
    with Api(running.url) as api:
        conversation = api.conversation()
        api.post(f"conversations/{conversation}/turns/?wait=true", {"content": "[[sandbox: error=400; no_retry]]"})
        ticket = api.post("auth/ws-ticket/").json()["ticket"]
        with connect(f"{running.url.replace('http', 'ws')}/ws/?ticket={ticket}") as socket:
            socket.send("{}")
            socket.recv(timeout=60)
        lines += running.stop().splitlines()
        assert ticket not in "\n".join(lines)
        yield api, lines


def test_a_turn_that_fails_is_logged_once_with_its_reason(logged: Logged) -> None:
    api, lines = logged
    [line] = [line for line in lines if "The turn failed" in line]
    assert re.search(rf" turn=[0-9a-f-]{{36}} user={api.user.pk} The turn failed: ", line)
    assert "invalid_request_error" in line


def test_each_access_has_its_request_and_user(logged: Logged) -> None:
    api, lines = logged
    [line] = [line for line in lines if "?wait=true" in line]
    assert re.search(rf" request=req_[0-9a-f]+ user={api.user.pk} 127\.0\.0\.1 \"POST /api/", line)
    assert re.search(r"\?wait=true\" \d{3} in \d+ ms$", line)


def test_tickets_are_not_logged(logged: Logged) -> None:
    [line] = [line for line in logged[1] if "WEBSOCKET" in line]
    assert '"WEBSOCKET /ws/?ticket=[redacted]"' in line
