"""An idempotency key creates one turn, for ever, over every transport and however often it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import pytest

from conversations.models import Conversation, Turn
from conversations.sandbox.server import Sandbox
from tests.clients import Api, rejoined, sse
from tests.processes import ServerProcess

KEY = {"Idempotency-Key": "one and only"}


@pytest.fixture(scope="module")
def another(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a second process on the same database."""
    with ServerProcess("uvicorn", database, sandbox.url) as process:
        yield process


def test_two_hundred_at_once_at_two_processes_make_one_turn_and_one_request(
    api: Api, another: ServerProcess, sandbox: Sandbox
) -> None:
    conversation = api.conversation(system="once only")

    async def post(session: aiohttp.ClientSession, url: str) -> str:
        headers = {**KEY, "Authorization": f"Bearer {api.token}"}
        path = f"{url}/api/conversations/{conversation}/turns/"
        async with session.post(path, json={"content": "Hello"}, headers=headers) as response:
            assert response.status == 201, await response.text()
            return str((await response.json())["id"])

    async def all() -> list[str]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            return await asyncio.gather(*(post(session, url) for url in [api.url, another.url] * 100))

    ids = set(asyncio.run(all()))
    assert len(ids) == 1
    assert api.ended(ids.pop())["status"] == "completed"
    assert Turn.objects.filter(conversation_id=conversation).count() == 1
    upstream = [request for request in sandbox.requests if (request.body or {}).get("system") == "once only"]
    assert len(upstream) == 1


def test_a_retry_gets_the_same_turn_and_its_stream(api: Api, another: ServerProcess) -> None:
    conversation = api.conversation()
    turn = api.ask_with(KEY, "Hello", conversation)
    headers = {**KEY, "Accept": "text/event-stream", "Authorization": f"Bearer {api.token}"}
    url = f"{another.url}/api/conversations/{conversation}/turns/"
    with api.http.stream("POST", url, json={"content": "Hello"}, headers=headers) as response:
        events = list(sse(response))
    assert rejoined(events) == rejoined(api.events(turn["id"]))


def test_a_retry_may_come_over_the_socket(api: Api) -> None:
    conversation = api.conversation()
    turn = api.ask_with(KEY, "Hello", conversation)
    with api.socket() as socket:
        key = KEY["Idempotency-Key"]
        socket.send(type="turn.create", ref=1, conversation=conversation, content="Hello", idempotency_key=key)
        created, *events = socket.until("turn_end")
    assert created["turn"]["id"] == turn["id"]
    assert rejoined(events) == rejoined(api.events(turn["id"]))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_key_is_the_same_over_the_socket_in_every_script(api: Api, encoding: str) -> None:
    """Programs send headers in UTF-8, and browsers in Latin-1."""
    conversation, key, path = api.conversation(), f"clé {encoding}", "conversations/{}/turns/?wait=true"
    headers = {"Idempotency-Key": key.encode(encoding)}
    turn = api.post(path.format(conversation), {"content": "Hello"}, headers=headers).json()
    with api.socket() as socket:
        socket.send(type="turn.create", ref=1, conversation=conversation, content="Hello", idempotency_key=key)
        assert socket.until("turn_end")[0]["turn"]["id"] == turn["id"]


@pytest.mark.parametrize("key", ["", "a\nb", "a\x7f", "x" * 256])
def test_a_key_that_no_header_can_carry_is_refused_by_the_socket(api: Api, key: str) -> None:
    with api.socket() as socket:
        socket.send(type="turn.create", ref=1, conversation=api.conversation(), content="Hello", idempotency_key=key)
        error = socket.receive()["error"]
    assert error["type"] == "invalid_request_error"
    assert "idempotency_key" in error["details"]


def test_another_body_is_refused(api: Api) -> None:
    conversation = api.conversation()
    turn = api.ask_with(KEY, "Hello", conversation)
    response = api.post(f"conversations/{conversation}/turns/", {"content": "Bye"}, headers=KEY)
    assert response.status_code == 422
    assert response.json()["error"]["type"] == "idempotency_error"
    assert response.json()["error"]["details"]["turn"] == turn["id"]


def test_another_conversation_is_another_body(api: Api) -> None:
    api.ask_with(KEY, "Hello", api.conversation())
    elsewhere = api.conversation()
    response = api.post(f"conversations/{elsewhere}/turns/", {"content": "Hello"}, headers=KEY)
    assert response.status_code == 422
    assert api.get(f"conversations/{elsewhere}/messages/").json()["results"] == []


def test_a_key_is_the_users_own(api: Api, other: Api) -> None:
    first = api.ask_with(KEY, "Hello", api.conversation())
    second = other.ask_with(KEY, "Hello", other.conversation())
    assert first["id"] != second["id"]


def test_a_key_makes_one_conversation(api: Api, other: Api, another: ServerProcess) -> None:
    body = {"title": "Tea", "metadata": {"number": 1.0}}

    def create(url: str) -> str:
        with Api(url, api.user) as client:
            response = client.post("conversations/", body, headers=KEY)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(create, [api.url, another.url] * 4))
    assert len(ids) == 1
    assert Conversation.objects.filter(owner=api.user).count() == 1
    [id] = ids
    api.http.patch(f"/api/conversations/{id}/", json={"title": "Coffee"})
    assert create(api.url) == id, "whatever has become of it"
    changed = api.post("conversations/", {"title": "Milk"}, headers=KEY)
    assert (changed.status_code, changed.json()["error"]["type"]) == (422, "idempotency_error")
    assert changed.json()["error"]["details"] == {"conversation": id}
    assert other.post("conversations/", body, headers=KEY).json()["id"] != id
    assert api.post("conversations/", body, headers={"Idempotency-Key": "x" * 256}).status_code == 400
    assert api.conversation() != api.conversation()
    assert api.ask_with(KEY, "Hello", id)["status"] == "completed", "a turn's keys are its own"
