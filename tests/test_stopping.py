"""Stopping a turn works on any process, closes the connection to Claude, and keeps the partial answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conversations.models import Usage
from conversations.sandbox.received import Received
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess
from tests.waiting import until


@pytest.fixture(scope="module")
def another(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a process that runs no turns."""
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_RUN_TURNS="false") as process:
        yield process


def request_of(sandbox: Sandbox, system: str, *, ended: bool = True) -> Received:
    """Wait for the upstream request with this system prompt, and for its end if `ended`; return it."""

    def found() -> Iterator[Received]:
        for request in list(sandbox.requests):
            if (request.body or {}).get("system") == system and (request.finished_at or not ended):
                yield request

    return until(lambda: next(found(), None)) or pytest.fail("there is none")


@pytest.mark.parametrize("where", ["the same process", "another process"])
@pytest.mark.parametrize("way", ["REST", "socket"])
def test_the_way_to_claude_is_closed_and_what_was_said_is_kept(
    api: Api, another: ServerProcess, sandbox: Sandbox, where: str, way: str
) -> None:
    system = f"{where} {way}"
    turn = api.begin("[[sandbox: words=2000; pace=0.02]]", api.conversation(system=system))["id"]
    api.events(turn, limit=6)
    if where == "another process":
        api.url = another.url
        api.http.base_url = another.url
    if way == "REST":
        assert api.post(f"turns/{turn}/cancel/").status_code == 202
    else:
        with api.socket() as socket:
            socket.send(type="turn.cancel", ref=1, turn=turn)
            assert socket.receive() == {"type": "ok", "ref": 1}
    ended = api.ended(turn)
    assert ended["status"] == "cancelled"
    assert ended["messages"][0]["content"][0]["text"].startswith("word1 word2")
    assert request_of(sandbox, system).disconnected
    assert Usage.objects.get(turn_id=turn).source == "estimate"


def test_stopping_twice_or_too_late_is_harmless(api: Api) -> None:
    turn = api.ask("Hello")
    for _ in range(2):
        response = api.post(f"turns/{turn['id']}/cancel/")
        assert response.status_code == 202
        assert response.json()["status"] == "completed"


def test_a_turn_can_be_stopped_before_its_answer_begins(api: Api, sandbox: Sandbox) -> None:
    turn = api.begin("[[sandbox: delay=20]]", api.conversation(system="before"))["id"]
    request_of(sandbox, "before", ended=False)
    api.post(f"turns/{turn}/cancel/")
    assert api.ended(turn)["status"] == "cancelled"
    # It was on its way, and may be billed.
    assert Usage.objects.get(turn_id=turn).source == "estimate"


def test_stopping_a_retry_is_stopping_the_one_turn(api: Api) -> None:
    conversation = api.conversation()
    headers = {"Idempotency-Key": "k"}
    body = {"content": "[[sandbox: words=2000; pace=0.02]]"}
    first, again = (api.post(f"conversations/{conversation}/turns/", body, headers=headers).json() for _ in range(2))
    assert first["id"] == again["id"]
    api.post(f"turns/{again['id']}/cancel/")
    assert api.ended(first["id"])["status"] == "cancelled"
