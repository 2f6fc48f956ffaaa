"""The tests' clients of the platform: HTTP, SSE and WebSocket clients of one user."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any, Self

import httpx2
from django.contrib.auth.hashers import make_password
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from conversations.models import User
from conversations.services.accounts import accounts

Event = Any

PASSWORD = "correct horse"
hashed = cache(make_password)  # which takes a third of a second


def client(**options: Any) -> httpx2.Client:
    """Return an HTTP client with timeouts for a busy machine.

    It does not load the CA certificates, which takes longer than most tests.
    """
    return httpx2.Client(timeout=60, verify=False, **options)


def get(url: str, **options: Any) -> httpx2.Response:
    """Send a GET request without credentials, or with those of the given headers."""
    with client() as asking:
        return asking.get(url, **options)


def post(url: str, **options: Any) -> httpx2.Response:
    """Send a POST request without credentials, or with those of the given headers."""
    with client() as asking:
        return asking.post(url, **options)


class Api:
    """A new user of their own, with a token and an HTTP client."""

    def __init__(self, url: str, user: User | None = None) -> None:
        name = f"user-{uuid.uuid4().hex[:12]}"
        self.user = user or User.objects.create(username=name, password=hashed(PASSWORD))
        self.token = accounts.issue_token(user=self.user)[1]
        self.url = url
        headers = {"Authorization": f"Bearer {self.token}"}
        self.http = client(base_url=url, headers=headers)

    @classmethod
    def of(cls, url: str, other: Api) -> Self:
        """Return the same user as a client of another process."""
        return cls(url, other.user)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.http.get(f"/api/{path}", **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        return self.http.post(f"/api/{path}", json=body, **options)

    def conversation(self, **fields: Any) -> str:
        """Create a conversation; return its id."""
        response = self.post("conversations/", fields)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    def ask(self, content: Any, conversation: str | None = None, **fields: Any) -> dict[str, Any]:
        """Run a turn; return it when it has ended."""
        path = f"conversations/{conversation or self.conversation()}/turns/?wait=true"
        response = self.post(path, {"content": content, **fields})
        assert response.status_code == 201, response.text
        turn: dict[str, Any] = response.json()
        return turn

    def ask_with(self, headers: dict[str, str], content: Any, conversation: str) -> dict[str, Any]:
        """Run a turn by a request with these headers; return it when it has ended."""
        path = f"conversations/{conversation}/turns/?wait=true"
        response = self.post(path, {"content": content}, headers=headers)
        assert response.status_code == 201, response.text
        turn: dict[str, Any] = response.json()
        return turn

    def begin(self, content: Any, conversation: str | None = None, **fields: Any) -> dict[str, Any]:
        """Begin a turn; return it at once."""
        response = self.post(
            f"conversations/{conversation or self.conversation()}/turns/", {"content": content, **fields}
        )
        assert response.status_code == 201, response.text
        turn: dict[str, Any] = response.json()
        return turn

    def ended(self, turn: str) -> dict[str, Any]:
        """Wait until a turn has ended, and return it."""
        self.events(turn)
        found: dict[str, Any] = self.get(f"turns/{turn}/").json()
        return found

    def events(self, turn: str, after: int = 0, limit: int | None = None) -> list[Event]:
        """Return a turn's events after a position, to its end or at most `limit`."""
        found: list[Event] = []
        with self.http.stream("GET", f"/api/turns/{turn}/events/?after={after}") as response:
            assert response.status_code == 200, response.read()
            for event in sse(response):
                found.append(event)
                if limit is not None and len(found) == limit:
                    break
        return found

    def socket(self, **options: Any) -> Socket:
        """Open a WebSocket."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return Socket(f"{self.url.replace('http', 'ws')}/ws/", additional_headers=headers, **options)


def sse(response: httpx2.Response) -> Iterator[Event]:
    """Yield the events of a response, and check their framing."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if fields:
            event = json.loads(fields["data"])
            if "id" in fields:
                assert fields["id"] == str(event["position"])
                assert fields["event"] == event["type"]
            yield event
            fields = {}


def rejoined(events: list[Event]) -> list[Event]:
    """Return events with each block's text deltas merged: readers may receive them cut differently."""
    found: list[Event] = []
    for event in events:
        if found and _is_text(event) and _is_text(found[-1]) and event["index"] == found[-1]["index"]:
            text = found.pop()["delta"]["text"] + event["delta"]["text"]
            event = {**event, "delta": {**event["delta"], "text": text}}
        found.append(event)
    return found


def _is_text(event: Event) -> bool:
    return bool(event["type"] == "content_block_delta" and event["delta"]["type"] == "text_delta")


class Socket:
    """A WebSocket connection that sends and receives JSON."""

    connection: ClientConnection

    def __init__(self, url: str, **options: Any) -> None:
        self._connecting = connect(url, **options)

    def __enter__(self) -> Self:
        self.connection = self._connecting.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._connecting.__exit__(*error)

    def send(self, **frame: Any) -> None:
        self.connection.send(json.dumps(frame))

    def receive(self, timeout: float = 60) -> Event:
        frame: Event = json.loads(self.connection.recv(timeout))
        return frame

    def closed(self, within: float = 60) -> int:
        """Read until the socket is closed, at most `within` seconds between frames; return the close code."""
        with suppress(ConnectionClosed):
            while True:
                self.connection.recv(within)
        assert self.connection.close_code is not None
        return self.connection.close_code

    def until(self, type: str) -> list[Event]:
        """Return the frames up to and including the first one of this type."""
        frames = [self.receive()]
        while frames[-1]["type"] != type:
            frames.append(self.receive())
        return frames
