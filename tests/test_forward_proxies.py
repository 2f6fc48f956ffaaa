"""Claude's API is reached through the proxy that the environment names, as the SDK's own client does it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.extraction.message_batches import Proxy, proxy
from tests.processes import ServerProcess

CLAUDE = "http://claude.example"  # a host that only the proxy knows


@pytest.fixture
def forwarding(sandbox: Sandbox) -> Iterator[Proxy]:
    """Run a forward proxy for which the sandbox is every host."""
    with proxy(sandbox.url) as running:
        yield running


def test_turns_and_counts_go_through_the_proxy_of_the_environment(
    database: str, sandbox: Sandbox, forwarding: Proxy
) -> None:
    with ServerProcess("uvicorn", database, CLAUDE, HTTP_PROXY=forwarding.url) as server, Api(server.url) as api:
        turn = api.ask("Hello")
        counted = api.post(f"conversations/{turn['conversation']}/count-tokens/", {"content": "Hello"})
    assert (turn["status"], counted.status_code) == ("completed", 200)
    assert f"{CLAUDE}/v1/messages" in forwarding.asked
    assert f"{CLAUDE}/v1/messages/count_tokens" in forwarding.asked


@pytest.mark.parametrize("excluded", ["", "127.0.0.1,claude.example"])
def test_this_machine_and_hosts_in_no_proxy_are_asked_directly(
    database: str, sandbox: Sandbox, forwarding: Proxy, excluded: str
) -> None:
    variables = {"HTTP_PROXY": forwarding.url, "NO_PROXY": excluded, "ANTHROPIC_MAX_RETRIES": "0"}
    claude = CLAUDE if excluded else sandbox.url
    with ServerProcess("uvicorn", database, claude, **variables) as server, Api(server.url) as api:
        response = api.post(f"conversations/{api.conversation()}/turns/?wait=true", {"content": "Hello"})
    assert response.status_code == (502 if excluded else 201), "no DNS knows the host"
    assert forwarding.asked == []
