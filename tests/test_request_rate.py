"""The number of requests per minute is limited by user, and independent of other users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess


@pytest.fixture(scope="module")
def server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_REQUESTS_PER_MINUTE="6") as process:
        yield process


def test_one_request_too_many_is_told_when_to_come_again(api: Api, other: Api) -> None:
    statuses = [api.get("me/").status_code for _ in range(6)]
    refused = api.get("me/")
    assert statuses == [200] * 6
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
    assert refused.json()["error"]["details"] == {"limit": "requests_per_minute", "most": 6}
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert other.get("me/").status_code == 200
