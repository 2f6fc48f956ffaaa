"""The sandbox's HTTP server."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self

from aiohttp import web

import conversations.sandbox as sandbox_package
from conversations.claude.catalogue import Model, find, written_models
from conversations.sandbox import token_counts
from conversations.sandbox.batches import Batches
from conversations.sandbox.directives import Directives
from conversations.sandbox.received import ID, RECEIVED, Received
from conversations.sandbox.refused import Refused
from conversations.sandbox.replies import directives_in
from conversations.sandbox.request_rules import VERSIONS, validate
from conversations.sandbox.request_text import Block, Body
from conversations.sandbox.responder import Responder, known_model
from conversations.sandbox.stream import Cut, Faults, events_of
from conversations.sandbox.writing import Write, write_events, write_raw, write_replay

BODY_LIMIT = 32 * 1024 * 1024  # bytes
KEPT_REQUESTS = 1000
PACE = 0.02  # seconds between deltas


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Sandbox:
    """The server, for use as `async with Sandbox() as sandbox: sandbox.url`."""

    pace: float = PACE
    port: int = 0
    replay: bytes | None = None
    """The body of every answer, instead of what the sandbox would say: a recorded stream."""
    replay_chunk: int | None = None
    listed: list[Block] = field(default_factory=list)
    """Rows that the Models API has besides the catalogue's, or instead of those with the same id."""
    requests: deque[Received] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))

    def __post_init__(self) -> None:
        self._responder = Responder()
        self._batches = Batches(self._responder, self._received)
        self._ids = itertools.count(1)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Return the base URL for a client."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=BODY_LIMIT, middlewares=[self._enveloped])
        app.router.add_get("/", self._about)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/messages/count_tokens", self._count_tokens)
        self._batches.add_routes(app.router)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{id}", self._model)
        app.router.add_get("/_sandbox/requests", self._list_requests)
        app.router.add_delete("/_sandbox/requests", self._forget_requests)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner:
            await self._runner.cleanup()

    # --- Requests -----------------------------------------------------------------------------------------------------

    @web.middleware
    async def _enveloped(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give every request an id, and every error the format of Claude's errors (claude-api.md 5)."""
        request[ID] = f"req_sandbox_{next(self._ids):08d}"
        try:
            response: web.StreamResponse = await handler(request)
        except Refused as refused:
            response = self._refusal(request, refused)
        except web.HTTPException as error:
            response = self._refusal(request, Refused(error.status, error.reason or "Not found"))
        if RECEIVED in request:
            request[RECEIVED].status = response.status
        return response

    def _refusal(self, request: web.Request, refused: Refused) -> web.Response:
        headers = {**self._headers(request), **refused.headers}
        return web.json_response(refused.envelope(request[ID]), status=refused.status, headers=headers)

    def _headers(self, request: web.Request) -> dict[str, str]:
        limits = {
            f"anthropic-ratelimit-{kind}-{what}": value
            for kind in ("requests", "tokens", "input-tokens", "output-tokens")
            for what, value in (("limit", "1000000"), ("remaining", "999999"), ("reset", "2099-01-01T00:00:00Z"))
        }
        return {"request-id": request[ID], "anthropic-organization-id": "sandbox", **limits}

    async def _about(self, request: web.Request) -> web.Response:
        return web.Response(text=sandbox_package.__doc__)

    async def _list_requests(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(received) for received in self.requests])

    async def _forget_requests(self, request: web.Request) -> web.Response:
        self.requests.clear()
        return web.Response(status=204)

    async def _received(self, request: web.Request) -> tuple[Body, str]:
        """Return the body and the version of a request. Raise Refused if either is invalid."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.method, request.path, headers, None, time.time())
        request[RECEIVED] = received
        self.requests.append(received)
        _check_credentials(headers)
        version = headers.get("anthropic-version", "")
        if version not in VERSIONS:
            raise Refused(400, "anthropic-version: header is required and must be a known version")
        try:
            body = _parsed(await request.read())
        except (ValueError, RecursionError):
            raise Refused(400, "The request body is not valid JSON") from None
        except web.HTTPRequestEntityTooLarge:
            raise Refused(413, "Request exceeds the maximum size") from None
        if not isinstance(body, dict):
            raise Refused(400, "The request body must be an object")
        received.body = body
        return body, version

    # --- Endpoints ----------------------------------------------------------------------------------------------------

    async def _models(self, request: web.Request) -> web.Response:
        _check_credentials({name.lower(): value for name, value in request.headers.items()})
        named = {row["id"]: row for row in [*map(_model_info, written_models()), *self.listed]}
        rows = list(named.values())
        page = {"data": rows, "has_more": False, "first_id": rows[0]["id"], "last_id": rows[-1]["id"]}
        return web.json_response(page, headers=self._headers(request))

    async def _model(self, request: web.Request) -> web.Response:
        model = find(request.match_info["id"])
        if model is None:
            raise Refused(404, f"model: {request.match_info['id']}")
        return web.json_response(_model_info(model), headers=self._headers(request))

    async def _count_tokens(self, request: web.Request) -> web.Response:
        body, version = await self._received(request)
        validate(body, version=version, counting=True)
        count = token_counts.of_request(body, known_model(body))
        return web.json_response({"input_tokens": count}, headers=self._headers(request))

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body, version = await self._received(request)
        if self.replay is not None:
            return await self._send(request, Directives(), partial(write_replay, self.replay, self.replay_chunk))
        validate(body, version=version)
        directives, prompt = directives_in(body)
        await asyncio.sleep(directives.number("delay"))
        self._responder.fail_if_told(body, directives)
        if "raw" in directives:
            return await self._send(request, directives, write_raw)
        faults = Faults(directives)
        message = self._responder.message(request[ID].replace("req_", "msg_"), body, directives, prompt)
        if body.get("stream"):
            write = partial(write_events, events_of(message, directives), faults, self.pace)
            return await self._send(request, directives, write)
        for name in ("cut_after", "cut_clean_after", "cut_midbyte_after"):
            if name in directives:
                _abort(request)
        return web.json_response(message, headers=self._headers(request))

    # --- Streams ------------------------------------------------------------------------------------------------------

    async def _send(self, request: web.Request, directives: Directives, write: Write) -> web.StreamResponse:
        kind = directives.text("content_type") or "text/event-stream"
        headers = {**self._headers(request), "Content-Type": kind, "Cache-Control": "no-cache"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        request[RECEIVED].status = 200
        try:
            await write(request, response, directives)
            await response.write_eof()
        except Cut as cut:
            await response.write(cut.last)
            if not cut.clean:
                _abort(request)
        except (ConnectionError, asyncio.CancelledError):
            request[RECEIVED].disconnected = True
            raise
        finally:
            request[RECEIVED].finished_at = time.time()
        return response


def _parsed(text: bytes) -> object:
    """Parse a JSON text. Raise ValueError if it is invalid, also for NaN and lone surrogates."""
    value = json.loads(text, parse_constant=_refuse_constant)
    if b"\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _check_credentials(headers: dict[str, str]) -> None:
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if not key or key.startswith("invalid"):
        raise Refused(401, "invalid x-api-key")


def _abort(request: web.Request) -> None:
    if request.transport:
        request.transport.abort()


def _model_info(model: Model) -> Body:
    return {
        "id": model.id,
        "type": "model",
        "display_name": model.name,
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "deprecated" if model.lifecycle == "deprecated" else "active",
        "max_input_tokens": model.context_window,
        "max_tokens": model.max_output,
    }


@contextmanager
def running_sandbox(**options: Any) -> Iterator[Sandbox]:
    """Run a sandbox in a thread of its own, for code without an event loop; yield it."""
    sandbox = Sandbox(**options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True, name="sandbox")
    thread.start()
    asyncio.run_coroutine_threadsafe(sandbox.__aenter__(), loop).result(10)
    try:
        yield sandbox
    finally:
        asyncio.run_coroutine_threadsafe(sandbox.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
