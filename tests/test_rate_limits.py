"""Users' limits on concurrency and on requests per minute hold over all processes together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import aiohttp
import pytest

from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess

LIMITS = {
    "COLLOQUY_TURNS_PER_MINUTE": "6",
    "COLLOQUY_CONCURRENT_TURNS": "3",
    "COLLOQUY_TOKENS_PER_MINUTE": "1000",
}
LONG = "Hello [[sandbox: words=400; pace=0.1]]"


@pytest.fixture(scope="module")
def processes(database: str, sandbox: Sandbox) -> Iterator[list[ServerProcess]]:
    with (
        ServerProcess("uvicorn", database, sandbox.url, **LIMITS) as one,
        ServerProcess("uvicorn", database, sandbox.url, **LIMITS) as other,
    ):
        yield [one, other]


@pytest.fixture
def user(processes: list[ServerProcess]) -> Iterator[Api]:
    with Api(processes[0].url) as client:
        yield client


def test_turns_at_once_are_limited_over_all_processes(user: Api, processes: list[ServerProcess]) -> None:
    conversations = [user.conversation() for _ in range(12)]

    async def ask(session: aiohttp.ClientSession, url: str, id: str) -> tuple[int, str]:
        async with session.post(f"{url}/api/conversations/{id}/turns/", json={"content": LONG}) as response:
            return response.status, (await response.json()).get("id", "")

    async def all() -> list[tuple[int, str]]:
        headers = {"Authorization": f"Bearer {user.token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            urls = [processes[at % 2].url for at in range(len(conversations))]
            return await asyncio.gather(*(ask(session, *each) for each in zip(urls, conversations, strict=True)))

    answers = asyncio.run(all())
    assert Counter(status for status, _ in answers) == {201: 3, 429: 9}
    assert user.get("me/").json()["limits"]["concurrent_turns"] == {"limit": 3, "used": 3}
    for _, id in answers:
        if id:
            user.post(f"turns/{id}/cancel/")
            user.ended(id)
    assert user.ask("Hello")["status"] == "completed"


def test_turns_in_a_minute_are_limited_and_the_headers_tell(user: Api) -> None:
    for left in (5, 4, 3, 2, 1, 0):
        response = user.post(f"conversations/{user.conversation()}/turns/?wait=true", {"content": "Hi"})
        assert response.status_code == 201
        assert (response.headers["RateLimit-Limit"], response.headers["RateLimit-Remaining"]) == ("6", str(left))
    assert 0 < int(response.headers["RateLimit-Reset"]) <= 60
    refused = user.post(f"conversations/{user.conversation()}/turns/", {"content": "Hi"})
    error = refused.json()["error"]
    assert (refused.status_code, error["type"]) == (429, "rate_limit_error")
    assert error["details"] == {"limit": "turns_per_minute", "most": 6, "used": 6}
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert (refused.headers["RateLimit-Limit"], refused.headers["RateLimit-Remaining"]) == ("6", "0")
    assert refused.headers["RateLimit-Reset"] == refused.headers["Retry-After"]
    with user.socket() as socket:
        socket.send(type="turn.create", ref=1, conversation=user.conversation(), content="Hi")
        assert socket.receive()["error"]["type"] == "rate_limit_error"


def test_deleting_what_was_said_makes_no_room(user: Api) -> None:
    for _ in range(6):
        conversation = user.ask("Hi")["conversation"]
        assert user.http.delete(f"/api/conversations/{conversation}/").status_code == 204
    assert user.get("me/").json()["limits"]["turns_per_minute"] == {"limit": 6, "used": 6}
    assert user.post(f"conversations/{user.conversation()}/turns/", {"content": "Hi"}).status_code == 429


def test_tokens_in_a_minute_are_limited(user: Api) -> None:
    user.ask("Hello [[sandbox: words=800]]", max_tokens=4000)
    refused = user.post(f"conversations/{user.conversation()}/turns/", {"content": "Hi"})
    assert refused.status_code == 429
    assert refused.json()["error"]["details"]["limit"] == "tokens_per_minute"


def test_without_limits_there_are_none(api: Api) -> None:
    response = api.post(f"conversations/{api.conversation()}/turns/?wait=true", {"content": "Hi"})
    assert "RateLimit-Limit" not in response.headers
    assert api.get("me/").json()["limits"] == {}
