"""On SIGTERM a process begins no new turn, lets running ones end for a while, and saves the rest."""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx2
import pytest

from conversations.models import Turn
from conversations.sandbox.server import Sandbox
from tests import clients
from tests.clients import Api
from tests.processes import ServerProcess
from tests.waiting import until

DRAIN = 60  # seconds that turns are given, more than any of these needs on a busy machine


@pytest.fixture
def leaving(request: pytest.FixtureRequest, database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a process that a test will stop."""
    kind, drain = getattr(request, "param", ("uvicorn", DRAIN))
    with ServerProcess(kind, database, sandbox.url, COLLOQUY_DRAIN=str(drain)) as process:
        yield process


@pytest.fixture
def user(leaving: ServerProcess) -> Iterator[Api]:
    with Api(leaving.url) as client:
        yield client


def in_thread(function: Callable[[], Any]) -> Callable[[], Any]:
    """Start a function in a thread; return a function that waits for its result."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()

    def result() -> Any:
        thread.join(DRAIN)
        return results[0]

    return result


@pytest.mark.parametrize(
    "leaving", [("uvicorn", DRAIN), ("workers", DRAIN)], indirect=True, ids=["serve", "uvicorn --workers 2"]
)
def test_what_runs_is_streamed_to_its_end_and_nothing_new_is_taken(leaving: ServerProcess, user: Api) -> None:
    turn = user.begin("[[sandbox: words=60; pace=0.1]]")["id"]
    stream = in_thread(lambda: user.events(turn))
    user.events(turn, limit=4)
    leaving.process.send_signal(signal.SIGTERM)
    until(lambda: [over_new_connection(leaving, "/readyz").status_code for _ in range(5)] == [503] * 5)
    takes_nothing_new(leaving, user)
    assert stream()[-1]["status"] == "completed"
    assert leaving.process.wait(DRAIN + 5) is not None
    assert Turn.objects.get(pk=turn).status == "completed"


def over_new_connection(leaving: ServerProcess, path: str, method: str = "GET", **options: Any) -> httpx2.Response:
    """Send a request over a new connection to one of the server's processes; return its response.

    It is sent again if the process that has just accepted the connection ends.
    """

    def response() -> httpx2.Response | None:
        with suppress(httpx2.TransportError), clients.client(base_url=leaving.url) as client:
            return client.request(method, path, **options)
        return None

    found = until(response)
    assert found is not None
    return found


def takes_nothing_new(leaving: ServerProcess, user: Api) -> None:
    path, headers = f"/api/conversations/{uuid.uuid4()}/turns/", dict(user.http.headers)
    refused = over_new_connection(leaving, path, "POST", json={"content": "Hello"}, headers=headers)
    ready = over_new_connection(leaving, "/readyz")
    assert refused.status_code == 503
    assert refused.json()["error"]["type"] == "overloaded_error"
    assert int(refused.headers["retry-after"]) > 0
    assert ready.headers["connection"] == "close"
    assert ready.json()["accepting"] is False
    assert over_new_connection(leaving, "/healthz").status_code == 200


@pytest.mark.parametrize("leaving", [("uvicorn", 1)], indirect=True, ids=["serve"])
def test_what_does_not_end_in_time_is_kept_as_interrupted(leaving: ServerProcess, user: Api, api: Api) -> None:
    conversation = user.conversation()
    turn = user.begin("[[sandbox: words=2000; pace=0.02]]", conversation)["id"]
    user.events(turn, limit=4)
    leaving.process.send_signal(signal.SIGTERM)
    assert leaving.process.wait(DRAIN) is not None
    ended = Turn.objects.get(pk=turn)
    assert ended.status == "interrupted"
    assert ended.messages.get().text.startswith("word1 word2")
    assert ended.usage.get().source == "estimate"


def test_readers_and_sockets_are_told_to_come_back(leaving: ServerProcess, user: Api, api: Api) -> None:
    with Api.of(api.url, user) as elsewhere, user.socket() as socket:
        socket.send(type="ping")
        socket.receive()
        turn = elsewhere.begin("[[sandbox: words=2000; pace=0.02]]")["id"]
        stream = in_thread(lambda: user.events(turn))
        user.events(turn, limit=4)
        leaving.process.send_signal(signal.SIGTERM)
        assert socket.closed() == 1012
        seen = stream()
        assert seen[-1]["type"] != "turn_end"
        elsewhere.post(f"turns/{turn}/cancel/")
        assert elsewhere.events(turn, after=seen[-1]["position"])[-1]["type"] == "turn_end"
