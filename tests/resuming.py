"""A client that loses nothing: it retries with its idempotency key, and resumes at its position, on any process."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from conversations.content.transcript import length
from conversations.contract.transcript_events import Event

PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=1.5, sock_read=2.5)
AGAIN = 0.1  # seconds until another process is tried
LATER = frozenset({500, 502, 503, 504})  # statuses to retry with the same key; a 500 is also recorded in `broken`


class Violation(AssertionError):
    """A broken promise of the platform."""


@dataclass
class Reader:
    """A reader of a turn; it checks that events come in order, without gaps and without repetitions."""

    turn: str
    position: int = 0
    seen: list[Event] = field(default_factory=list)
    resumes: int = 0

    @property
    def done(self) -> bool:
        return bool(self.seen) and self.seen[-1]["type"] == "turn_end"

    def take(self, event: Any) -> None:
        kept: Any = {key: value for key, value in event.items() if key not in ("turn", "position")}
        if event["turn"] != self.turn:
            raise Violation(f"an event of turn {event['turn']} was sent to a reader of {self.turn}")
        if event["position"] != self.position + length(kept):
            raise Violation(f"turn {self.turn}: {event['position']} follows {self.position} with {event['type']}")
        self.position = event["position"]
        self.seen.append(kept)


class Client:
    """A user's client that sends each request to a random one of several processes."""

    def __init__(self, session: aiohttp.ClientSession, urls: list[str], token: str, dice: random.Random) -> None:
        self._session = session
        self._urls = urls
        self._headers = {"Authorization": f"Bearer {token}"}
        self._dice = dice
        self.broken: list[str] = []

    def _url(self) -> str:
        return self._dice.choice(self._urls)

    async def post(self, path: str, body: Any, key: str | None = None) -> tuple[int, Any]:
        """Post until a process responds; return status and body. Without a key the request may take effect twice."""
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        while True:
            try:
                async with self._session.post(
                    f"{self._url()}/api/{path}", json=body, headers=headers, timeout=PATIENCE
                ) as response:
                    answer = await response.json(content_type=None)
                    if response.status == 500:
                        self.broken.append(f"500 at {path}: {answer}")
                    if response.status not in LATER:
                        return response.status, answer
            except (aiohttp.ClientError, TimeoutError, ValueError):
                pass
            await asyncio.sleep(AGAIN)

    async def over_socket(self, frame: Any, answer: str) -> Any:
        """Send a command until it is answered by a frame of this type or a conflict error; return that frame."""
        while True:
            try:
                async with self._socket() as socket:
                    await socket.send_json(frame)
                    async for message in socket:
                        received = json.loads(message.data)
                        if received["type"] == answer:
                            return dict(received)
                        if received["type"] == "error" and received["error"]["type"] == "conflict_error":
                            return dict(received)
                        if received["type"] == "error" and received["error"]["type"] == "api_error":
                            self.broken.append(f"a bug answers {frame['type']}")
                        if received["type"] == "error":
                            break
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(AGAIN)

    def _socket(self) -> Any:
        url = self._url().replace("http", "ws")
        timeout = aiohttp.ClientWSTimeout(ws_receive=2.5)
        return self._session.ws_connect(f"{url}/ws/", headers=self._headers, timeout=timeout)

    async def read(self, reader: Reader, *, cuts: list[float], socket: bool) -> None:
        """Read a turn to its end, disconnecting after each of the `cuts`, in seconds."""
        while not reader.done:
            limit = cuts.pop() if cuts else None
            read = self._read_socket(reader) if socket else self._read_sse(reader)
            try:
                async with asyncio.timeout(limit):
                    await read
            except (aiohttp.ClientError, TimeoutError):
                pass
            if not reader.done:
                reader.resumes += 1
                await asyncio.sleep(AGAIN / 4)

    async def _read_sse(self, reader: Reader) -> None:
        url = f"{self._url()}/api/turns/{reader.turn}/events/?after={reader.position}"
        async with self._session.get(url, headers=self._headers, timeout=PATIENCE) as response:
            if response.status == 500:
                self.broken.append(f"500 at {url}")
            if response.status == 200:
                async for event in sse(response):
                    reader.take(event)

    async def _read_socket(self, reader: Reader) -> None:
        async with self._socket() as socket:
            await socket.send_json({"type": "turn.follow", "turn": reader.turn, "after": reader.position})
            async for message in socket:
                event = json.loads(message.data)
                if event["type"] == "error" and "turn" not in event:
                    return
                reader.take(event)
                if reader.done:
                    return


async def sse(response: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    """Yield the complete events of a response; an event that was cut off is dropped."""
    data = ""
    async for raw in response.content:
        line = raw.decode()
        if line.startswith("data: "):
            data = line[6:]
        elif line == "\n" and data:
            yield json.loads(data)
            data = ""
