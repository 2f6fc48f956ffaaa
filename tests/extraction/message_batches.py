"""A proxy that corrupts the sandbox's answers about Message Batches, and workers that exchange data with it."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, NamedTuple

from conversations import clock
from conversations.claude.client import close_client
from conversations.errors import ClaudeError
from conversations.models import Process
from extraction import checks
from extraction.batches.exchange import exchange


class Reply(NamedTuple):
    """A response, of the sandbox or of the proxy in its place."""

    status: int
    body: bytes
    media_type: str = "application/json"


Spoil = Callable[[Reply], Reply | None]
"""Changes a response; None closes the connection without a response."""


class Proxy:
    """A proxy in front of the sandbox. Faults are injected by kind of request: `create`, `retrieve`, `results`."""

    def __init__(self, sandbox: str) -> None:
        self.sandbox = sandbox.removeprefix("http://")
        self.spoil: dict[str, Spoil] = {}
        self.refusal: Reply | None = None
        """The response to a request that creates a Message Batch, in place of the sandbox's."""
        self.created: list[list[str]] = []
        """The custom ids of each Message Batch that the sandbox has accepted."""
        self.asked: list[str] = []
        """The target of each request; a whole URL where the proxy is used as a forward proxy."""
        self.url = ""

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply | None:
        """Return the sandbox's response to a request after fault injection; None closes the connection."""
        self.asked.append(path)
        path = re.sub("^http://[^/]+", "", path)
        end = path.split("?")[0].rsplit("/", 1)[-1]
        asked = "create" if method == "POST" and end == "batches" else "results" if end == "results" else "retrieve"
        if asked == "create" and self.refusal:
            return self.refusal
        connection = http.client.HTTPConnection(self.sandbox, timeout=60)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        reply = Reply(response.status, response.read(), response.headers["content-type"])
        connection.close()
        if asked == "create" and reply.status == 200:
            self.created.append([each["custom_id"] for each in json.loads(body)["requests"]])
        return self.spoil[asked](reply) if asked in self.spoil else reply


@contextmanager
def proxy(sandbox: str) -> Iterator[Proxy]:
    """Run a proxy in front of the sandbox at this URL, and yield it."""
    running = Proxy(sandbox)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            reply = running.forward(self.command, self.path, dict(self.headers), body)
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("content-type", reply.media_type)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        running.url = f"http://127.0.0.1:{server.server_port}"
        yield running
        server.shutdown()


class Exchanger:
    """Successive workers that send a batch's requests and fetch its results; each may die during an answer."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[bool] | None = None

    def once(self, batch: dict[str, Any]) -> bool:
        """Have a new worker exchange what it can; return whether more is left to do.

        Raise ClaudeError if Anthropic's API fails, or CancelledError if the worker dies by `die`. In any case the
        worker's lease has expired afterwards.
        """
        worker = Process.objects.create(leased_until=clock.now() + timedelta(minutes=10))
        try:
            self._task = self._loop.create_task(exchange(uuid.UUID(batch["id"]), worker.pk))
            return self._loop.run_until_complete(self._task)
        finally:
            worker.delete()

    def until_ended(self, batch: dict[str, Any], most: int = 20) -> None:
        """Exchange until nothing is left to do, through errors of Anthropic's API, at most `most` times."""
        for _ in range(most):
            with suppress(ClaudeError):
                if not self.once(batch):
                    return
        raise AssertionError("the batch does not end")

    def die(self, reply: Reply) -> None:
        """Cancel the worker, as if it had been killed, when the proxy is about to respond to it."""
        stopped = Event()

        def stop() -> None:
            assert self._task is not None
            self._task.cancel()
            stopped.set()

        self._loop.call_soon_threadsafe(stop)
        stopped.wait(60)

    def close(self) -> None:
        """End the tasks that the workers have started."""
        self._loop.run_until_complete(checks.close())
        self._loop.run_until_complete(close_client())
        self._loop.close()
