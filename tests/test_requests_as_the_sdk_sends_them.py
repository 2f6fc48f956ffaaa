"""A Messages request is sent as the SDK would send it, although its constant parts are built only once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from conversations.claude.transport import MessageSender, new_client

EMPTY = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
NOT_HTTP = b"what is this\r\n\r\n"

Received = tuple[str, dict[str, str], object]
"""The request line, the headers and the body of a request."""


class Recorder:
    """An upstream that records what it receives, and always gives the same response."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer = EMPTY

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
        body = json.loads(await reader.readexactly(int(headers.pop("content-length"))))
        self.received.append((line, headers, body))
        writer.write(self.answer)
        writer.close()


@pytest.fixture
async def recorder() -> AsyncIterator[tuple[Recorder, str]]:
    recorder = Recorder()
    async with await asyncio.start_server(recorder.serve, "127.0.0.1", 0) as server:
        yield recorder, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/proxied"


BODY = {"model": "claude-sonnet-4-6", "max_tokens": 7, "messages": [{"role": "user", "content": "日本 🎉"}]}


@pytest.mark.parametrize("headers", [{}, {"anthropic-version": "2023-06-01"}], ids=["plain", "another version"])
async def test_it_is_the_same_request(recorder: tuple[Recorder, str], headers: dict[str, str]) -> None:
    upstream, url = recorder
    async with new_client(url) as client:
        sender = MessageSender(client)
        for _ in range(2):
            response = await sender.send(json.dumps({**BODY, "stream": True}).encode(), headers)
            await response.aread()
        stream = await client.messages.create(**BODY, stream=True, extra_headers=headers)  # type: ignore[call-overload]
        await stream.close()
    ours, again, theirs = upstream.received
    assert ours == again == theirs
    assert theirs[0] == "POST /proxied/v1/messages HTTP/1.1"


async def test_an_answer_that_is_no_http_is_a_lost_connection(recorder: tuple[Recorder, str]) -> None:
    import anthropic

    upstream, url = recorder
    upstream.answer = NOT_HTTP
    async with new_client(url) as client:
        with pytest.raises(anthropic.APIConnectionError):
            await MessageSender(client).send(b"{}", {})
