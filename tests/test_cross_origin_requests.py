"""Pages of the origins in COLLOQUY_CORS_ORIGINS can use the API and the WebSocket; other pages cannot."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conversations.sandbox.server import Sandbox
from tests import readme
from tests.browser import SharedBrowser
from tests.clients import Api, Socket
from tests.processes import ROOT, ServerProcess

ORIGIN = "https://chat.example.com"
PAGE = "<!doctype html><title>A page of another origin</title>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve an empty page; yield its origin."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text(PAGE)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def named(database: str, sandbox: Sandbox, page: str) -> Iterator[ServerProcess]:
    """Run a server with two allowed origins."""
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_CORS_ORIGINS=f"{ORIGIN}/, {page}") as process:
        yield process


@pytest.fixture(scope="module")
def anyones(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Run a server that allows any origin."""
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_CORS_ORIGINS="*") as process:
        yield process


def allowed(api: Api, path: str, origin: str = ORIGIN, **headers: str) -> str | None:
    """Return the allowed origin in the response to a request from `origin`."""
    response = api.get(path, headers={"Origin": origin, **headers})
    return str(response.headers.get("access-control-allow-origin", "")) or None


def test_a_page_is_told_beforehand_what_it_may_send(named: ServerProcess) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}
    with Api(named.url) as api:
        told = api.http.options("/api/conversations/", headers={"Origin": ORIGIN, **asked}).headers
    assert told["access-control-allow-origin"] == ORIGIN
    assert told["access-control-allow-credentials"] == "true"
    assert {"authorization", "idempotency-key", "last-event-id"} <= set(
        told["access-control-allow-headers"].split(", ")
    )


def test_every_kind_of_answer_can_be_read(named: ServerProcess) -> None:
    with Api(named.url) as api:
        turn = api.ask("Hello")["id"]
        assert allowed(api, "me/") == ORIGIN
        assert allowed(api, "nothing-here/") == ORIGIN
        assert allowed(api, f"turns/{turn}/events/") == ORIGIN
        assert allowed(api, "me/", Authorization="Bearer nobody") == ORIGIN
        too_large = api.http.post("/api/auth/login/", content=b"x" * 100_000, headers={"Origin": ORIGIN})
        assert (too_large.status_code, too_large.headers["access-control-allow-origin"]) == (413, ORIGIN)


def test_other_pages_can_read_nothing(named: ServerProcess, api: Api) -> None:
    with Api(named.url) as client:
        for origin in (
            "https://evil.example.com",
            "https://chat.example.com.evil.com",
            "http://chat.example.com",
            "null",
        ):
            assert allowed(client, "me/", origin) is None
        assert allowed(client, "../admin/login/") is None
    assert allowed(api, "me/") is None  # where nobody is named


def test_the_socket_follows(named: ServerProcess) -> None:
    with Api(named.url) as api:
        for origin, code in ((ORIGIN, None), ("https://evil.example.com", 4403)):
            ticket = api.post("auth/ws-ticket/").json()["ticket"]
            with Socket(f"{named.ws_url}?ticket={ticket}", origin=origin) as socket:
                if code:
                    assert socket.closed() == code
                else:
                    socket.send(type="ping")
                    assert socket.receive()["type"] == "pong"


def test_any_page_may_come_but_not_by_a_cookie(anyones: ServerProcess) -> None:
    with Api(anyones.url) as api:
        response = api.get("me/", headers={"Origin": ORIGIN})
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers
        ticket = api.post("auth/ws-ticket/").json()["ticket"]
        with Socket(f"{anyones.ws_url}?ticket={ticket}", origin="https://anybody.example.com") as socket:
            socket.send(type="ping")
            assert socket.receive()["type"] == "pong"
        with Socket(
            anyones.ws_url, origin="https://anybody.example.com", additional_headers={"Cookie": "sessionid=x"}
        ) as socket:
            assert socket.closed() == 4403


@pytest.mark.parametrize("value", ["chat.example.com", "*, https://a.example", "https://a.example/path", "ftp://a"])
def test_what_is_no_origin_is_refused_at_the_start(value: str) -> None:
    code = "from config.environment import env_origins; env_origins('COLLOQUY_CORS_ORIGINS')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"COLLOQUY_CORS_ORIGINS": value}, capture_output=True, text=True
    )
    assert "COLLOQUY_CORS_ORIGINS must be * alone, or origins such as" in done.stderr


def test_the_example_for_browsers_runs_on_a_page_of_another_origin(
    named: ServerProcess, page: str, shared_browser: SharedBrowser
) -> None:
    [example] = [
        each.code for each in readme.examples(Path(ROOT / "docs/websocket.md")) if each.language == "javascript"
    ]
    call = (
        "async (args) => { let said = ''; const end = await ask(...args, (text) => said += text); return [end, said]; }"
    )
    with Api(named.url) as api, shared_browser.used() as chromium, chromium.new_page() as tab:
        tab.goto(page)
        tab.add_script_tag(content=example)
        ended, said = tab.evaluate(call, [named.url, api.token, api.conversation(), "Hello"])
    assert ended == "completed"
    assert "Hello" in said
