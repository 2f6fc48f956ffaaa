"""Every exception of the SDK and its transport is mapped to one of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import anthropic
import anthropic._error_classes  # so that every subclass is there to be walked
import httpx2
import pytest

from conversations.claude import client, error_mapping
from conversations.errors import ClaudeError, ColloquyError, MalformedAnswer, StreamCut, StreamStalled, TimedOut

REQUEST = httpx2.Request("POST", "https://api.example.com/v1/messages")


def subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


STATUS_ERRORS = sorted(set(subclasses(anthropic.APIStatusError)), key=str)
OTHERS = sorted({*subclasses(anthropic.AnthropicError)} - {anthropic.APIStatusError, *STATUS_ERRORS}, key=str)
TRANSPORT = sorted({*subclasses(httpx2.HTTPError), *subclasses(httpx2.StreamError)}, key=str)


@pytest.mark.parametrize("kind", STATUS_ERRORS, ids=lambda kind: kind.__name__)
def test_every_answer_with_an_error_status_is_mapped(kind: type[anthropic.APIStatusError]) -> None:
    status = getattr(kind, "status_code", 500)
    status = status if isinstance(status, int) else 500
    body = {"type": "error", "error": {"type": "some_error", "message": "Because"}}
    response = httpx2.Response(status, request=REQUEST, headers={"request-id": "req_1", "retry-after": "7"})
    ours = error_mapping.translate(kind("text for the log", response=response, body=body))
    assert ours is not None
    assert (ours.type, ours.upstream_status, ours.request_id, ours.retry_after) == ("some_error", status, "req_1", 7)
    assert ours.message == (error_mapping.CREDENTIALS if status in (401, 402, 403) else "Because")


@pytest.mark.parametrize("kind", [*OTHERS, *TRANSPORT], ids=lambda kind: kind.__name__)
def test_every_other_exception_is_mapped_and_its_text_stays_inside(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    error.args = ("text for the log",)
    error.status_code = 200  # type: ignore[attr-defined]
    for streaming in (False, True):
        ours = error_mapping.translate(error, streaming=streaming)
        assert isinstance(ours, ClaudeError)
        assert ours.status in (502, 503, 504)
        assert "text for the log" not in ours.message


def test_silence_and_cuts_are_told_apart() -> None:
    assert isinstance(error_mapping.translate(httpx2.ReadTimeout("x"), streaming=True), StreamStalled)
    assert isinstance(error_mapping.translate(httpx2.RemoteProtocolError("x"), streaming=True), StreamCut)
    assert isinstance(error_mapping.translate(anthropic.APITimeoutError(REQUEST)), TimedOut)


BROKEN = {
    "a chunk without a size": ("transfer-encoding: chunked", "2\r\n\n\n\r\nzz\r\nhello"),
    "a chunk that is cut": ("transfer-encoding: chunked", "400\r\nhello"),
    "fewer bytes than were promised": ("content-length: 100", "hello"),
    "what is not packed as it says": ("connection: close\r\ncontent-encoding: gzip", "hello"),
}


@pytest.mark.parametrize(("header", "body"), BROKEN.values(), ids=BROKEN)
def test_whatever_is_wrong_with_the_body_of_an_answer_is_a_cut(header: str, body: str, settings: Any) -> None:
    begun = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{header}\r\n\r\n".encode())
        await begun.wait()
        writer.write(body.encode())
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            settings.ANTHROPIC_BASE_URL = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            try:
                async with await client.send({"model": "m", "max_tokens": 1, "messages": []}) as stream:
                    begun.set()
                    async for _ in stream:
                        pass
            finally:
                await client.close_client()

    with pytest.raises(StreamCut):
        asyncio.run(ask())


def test_what_is_none_of_the_sdks_stays_what_it_is() -> None:
    assert error_mapping.translate(RuntimeError("x")) is None
    with pytest.raises(KeyError), error_mapping.translated():
        raise KeyError("x")


@pytest.mark.parametrize("kind", sorted({*subclasses(ColloquyError)}, key=str), ids=lambda kind: kind.__name__)
def test_every_error_of_ours_has_claudes_shape(kind: type[ColloquyError]) -> None:
    payload = (kind("it is no JSON") if kind is MalformedAnswer else kind()).payload("req_1")
    assert payload["type"] == "error"
    assert payload["error"]["message"]
    assert payload["request_id"] == "req_1"
