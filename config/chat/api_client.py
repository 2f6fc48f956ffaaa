"""Conversations and turns over the API of a running server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping

import httpx2

from config.server_access import Answer, Refused

TIMEOUT = httpx2.Timeout(30, read=60)  # seconds; a live stream is never silent for longer than 15
RESUMES = 5  # reconnections to a stream without any progress
PAUSE = 1.0  # seconds before each reconnection


class ChatClient:
    """A user's access to a server."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._headers = url.rstrip("/"), {"Authorization": f"Bearer {token}"}
        self._http = httpx2.Client(base_url=url, headers=self._headers, timeout=TIMEOUT)

    def close(self) -> None:
        """Close the connections to the server; the client cannot be used after that."""
        self._http.close()

    def begin(self, model: str | None) -> str:
        """Create a conversation, with a model or the server's default, and return its id."""
        response = self._http.post("/api/conversations/", json={"model": model} if model else {})
        _check(response)
        return str(response.json()["id"])

    def ask(self, conversation: str, content: str) -> Iterator[Answer]:
        """Create a turn and yield its events to its end, however often the connection is lost meanwhile.

        Raise Refused if no turn is created, httpx2.HTTPError if the server stays unavailable.
        """
        path = f"/api/conversations/{conversation}/turns/"
        turn, position, ended = "", 0, False
        stream, left = self._stream("POST", path, body={"content": content}), RESUMES
        while not ended:
            try:
                for event in stream:
                    turn, position, left = event["turn"], event["position"], RESUMES
                    ended = event["type"] == "turn_end"
                    yield event
            except httpx2.TransportError:
                if not turn or not left:
                    raise
            if not ended:
                left -= 1
                time.sleep(PAUSE)
                stream = self._stream("GET", f"/api/turns/{turn}/events/?after={position}")

    def cancel(self, turn: str) -> None:
        """Ask the server to stop a turn: what Claude has said until then is kept.

        The call uses a connection of its own: another thread may make it while the client is closed. Raise Refused if
        the server does not stop the turn, httpx2.HTTPError if it can't be reached.
        """
        _check(httpx2.post(f"{self._url}/api/turns/{turn}/cancel/", headers=self._headers, timeout=TIMEOUT))

    def _stream(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Iterator[Answer]:
        with self._http.stream(method, path, headers={"Accept": "text/event-stream"}, json=body) as response:
            if response.is_error:
                response.read()
            _check(response)
            for line in response.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))


def _check(response: httpx2.Response) -> None:
    if not response.is_error:
        return
    try:
        raise Refused(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        raise Refused(f"The server answered {response.status_code} {response.reason_phrase}.") from None
