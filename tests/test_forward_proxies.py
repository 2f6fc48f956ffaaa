"""Claude's API is reached through the proxy that the environment names, as the SDK's own client does it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

import pytest

from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess

CLAUDE = "http://claude.example"  # a host that only the proxy knows


class Forwarding(NamedTuple):
    """A forward proxy that knows the sandbox as `CLAUDE`, and the URLs that it was asked for."""

    url: str
    asked: list[str]


@pytest.fixture(scope="module")
def proxy(sandbox: Sandbox) -> Iterator[Forwarding]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            upstream = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=60)
            upstream.request(self.command, self.path.removeprefix(CLAUDE), body, dict(self.headers))
            response = upstream.getresponse()
            answer = response.read()
            upstream.close()
            self.send_response(response.status)
            self.send_header("content-type", response.headers["content-type"])
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Forwarding(f"http://127.0.0.1:{server.server_port}", asked)
        server.shutdown()


def test_turns_and_counts_go_through_the_proxy_of_the_environment(
    database: str, sandbox: Sandbox, proxy: Forwarding
) -> None:
    with ServerProcess("uvicorn", database, CLAUDE, HTTP_PROXY=proxy.url) as server, Api(server.url) as api:
        turn = api.ask("Hello")
        counted = api.post(f"conversations/{turn['conversation']}/count-tokens/", {"content": "Hello"})
    assert (turn["status"], counted.status_code) == ("completed", 200)
    assert f"{CLAUDE}/v1/messages" in proxy.asked
    assert f"{CLAUDE}/v1/messages/count_tokens" in proxy.asked


@pytest.mark.parametrize("excluded", ["", "127.0.0.1,claude.example"])
def test_this_machine_and_hosts_in_no_proxy_are_asked_directly(
    database: str, sandbox: Sandbox, proxy: Forwarding, excluded: str
) -> None:
    proxy.asked.clear()
    variables = {"HTTP_PROXY": proxy.url, "NO_PROXY": excluded, "ANTHROPIC_MAX_RETRIES": "0"}
    claude = CLAUDE if excluded else sandbox.url
    with ServerProcess("uvicorn", database, claude, **variables) as server, Api(server.url) as api:
        response = api.post(f"conversations/{api.conversation()}/turns/?wait=true", {"content": "Hello"})
    assert response.status_code == (502 if excluded else 201), "no DNS knows the host"
    assert proxy.asked == []
