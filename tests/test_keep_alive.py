"""A request over a kept-alive connection is never lost silently."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from tests.clients import Api
from tests.processes import free_port

KEEP_ALIVE = 1  # second
PATHS = [f"/{number}" for number in range(40)]


class Counting:
    """An ASGI application that records the requests that it got."""

    def __init__(self) -> None:
        self.got: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        self.got.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture(params=["uvloop", "asyncio"])
def serving(request: pytest.FixtureRequest) -> Iterator[tuple[Counting, int]]:
    """Provide an application behind our HTTP protocol, and its port."""
    app, port = Counting(), free_port()
    config = uvicorn.Config(
        app,
        port=port,
        loop=request.param,
        http="config.protocols:HttpProtocol",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield app, port
    server.should_exit = True
    thread.join(20)


async def twice(port: int, path: str, pause: float) -> bool:
    """Return whether a second request is answered, and not refused, after `pause` idle seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    post = "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"
    try:
        writer.write(post.format("/first").encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(pause)
        writer.write(post.format(path).encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        return answer.startswith(b"HTTP/1.1 200")
    except (ConnectionError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()


async def test_a_request_near_the_limit_is_answered_or_not_taken(serving: tuple[Counting, int]) -> None:
    app, port = serving
    pauses = [KEEP_ALIVE - 0.2 + number * 0.01 for number in range(len(PATHS))]
    answered = await asyncio.gather(*(twice(port, path, pause) for path, pause in zip(PATHS, pauses, strict=True)))
    taken = [path for path, was in zip(PATHS, answered, strict=True) if was]
    assert sorted(path for path in app.got if path != "/first") == sorted(taken)
    assert answered[0]


def test_how_long_a_connection_is_kept_is_announced(api: Api) -> None:
    assert api.get("me/").headers["keep-alive"] == "timeout=75"
