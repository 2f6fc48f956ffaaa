"""SIGTERM: nothing new is taken, what runs may end, the rest is kept, and nobody is left hanging."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from conversations.models import Turn
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess

DRAIN = 3


@pytest.fixture
def leaving(request: pytest.FixtureRequest, database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """A process that is about to be stopped."""
    with ServerProcess(
        getattr(request, "param", "uvicorn"), database, sandbox.url, COLLOQUY_DRAIN=str(DRAIN)
    ) as process:
        yield process


@pytest.fixture
def user(leaving: ServerProcess) -> Iterator[Api]:
    with Api(leaving.url) as client:
        yield client


def in_thread(function: Callable[[], Any]) -> Callable[[], Any]:
    """Begins it; what is returned waits for its result."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()

    def result() -> Any:
        thread.join(20)
        return results[0]

    return result


on_all_commands = pytest.mark.parametrize(
    "leaving", ["uvicorn", "workers"], indirect=True, ids=["serve", "uvicorn --workers 2"]
)


@on_all_commands
def test_what_runs_may_end_and_is_streamed_to_its_end(leaving: ServerProcess, user: Api) -> None:
    turn = user.begin("[[sandbox: words=50; pace=0.03]]")["id"]
    stream = in_thread(lambda: user.events(turn))
    user.events(turn, limit=4)
    leaving.process.send_signal(signal.SIGTERM)
    assert stream()[-1]["status"] == "completed"
    assert leaving.process.wait(DRAIN + 5) is not None
    assert Turn.objects.get(pk=turn).status == "completed"


def test_what_does_not_end_in_time_is_kept_as_interrupted(leaving: ServerProcess, user: Api, api: Api) -> None:
    conversation = user.conversation()
    turn = user.begin("[[sandbox: words=2000; pace=0.02]]", conversation)["id"]
    user.events(turn, limit=4)
    leaving.process.send_signal(signal.SIGTERM)
    assert leaving.process.wait(DRAIN + 5) is not None
    ended = Turn.objects.get(pk=turn)
    assert ended.status == "interrupted"
    assert ended.messages.get().text.startswith("word1 word2")
    assert ended.usage.get().source == "estimate"


@on_all_commands
def test_nothing_new_is_taken_meanwhile(leaving: ServerProcess, user: Api) -> None:
    turn = user.begin("[[sandbox: words=130; pace=0.02]]")["id"]
    user.events(turn, limit=4)
    leaving.process.send_signal(signal.SIGTERM)
    time.sleep(0.8)  # uvicorn's supervisor looks for signals twice a second
    # Over new connections: another process may have answered the one that is kept.
    with httpx2.Client(base_url=leaving.url, headers=user.http.headers) as client:
        refused = client.post(f"/api/conversations/{user_conversation(turn)}/turns/", json={"content": "Hello"})
        ready = client.get("/readyz")
        alive = client.get("/healthz")
    assert refused.status_code == 503
    assert refused.json()["error"]["type"] == "overloaded_error"
    assert int(refused.headers["retry-after"]) > 0
    assert ready.status_code == 503
    assert ready.headers["connection"] == "close"
    assert ready.json()["accepting"] is False
    assert alive.status_code == 200


def user_conversation(turn: str) -> str:
    return str(Turn.objects.get(pk=turn).conversation_id)


def test_sockets_are_told_to_come_back(leaving: ServerProcess, user: Api) -> None:
    with user.socket() as socket:
        socket.send(type="ping")
        socket.receive()
        leaving.process.send_signal(signal.SIGTERM)
        assert socket.closed() == 1012


def test_a_reader_of_another_process_is_let_go(leaving: ServerProcess, user: Api, api: Api) -> None:
    user.url, user.http.base_url = api.url, httpx2.URL(api.url)
    turn = user.begin("[[sandbox: words=400; pace=0.02]]")["id"]
    user.http.base_url = httpx2.URL(leaving.url)
    stream = in_thread(lambda: user.events(turn))
    user.events(turn, limit=4)
    leaving.process.send_signal(signal.SIGTERM)
    seen = stream()
    assert seen[-1]["type"] != "turn_end"
    user.http.base_url = httpx2.URL(api.url)
    user.post(f"turns/{turn}/cancel/")
    assert user.events(turn, after=seen[-1]["position"])[-1]["type"] == "turn_end"
