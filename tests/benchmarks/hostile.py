"""How much one hostile user can slow the others down.

    python -m tests.benchmarks.hostile [--seconds 30]

One user runs all attacks at the same time: schemas with catastrophic regular expressions, bodies of 300 MB, many wrong
passwords, tools that hang, files in a storage that takes seconds. Meanwhile another user reads a stream of 30 deltas a
second, and a probe requests /healthz. The benchmark prints the longest gap in the stream, the slowest response of
/healthz, and the process's memory before, at most, and some seconds after the attacks. Every feature is used once
before, so that memory for modules that are loaded at first use is not counted as a leak.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import psutil

import tests.environment  # noqa: F401 - before Django's settings are read
from tests.benchmarks.given import prepared, users
from tests.benchmarks.relays import machine

MEGABYTE = 1024 * 1024
SETTLE = 10.0  # seconds in which the memory may be returned
LOGINS = 30  # at once
BODY = 300 * MEGABYTE
CHUNK = b"x" * MEGABYTE
HOSTILE_SCHEMAS: tuple[dict[str, Any], ...] = (
    {"type": "string", "pattern": "^(a+)+$"},
    {
        "$ref": "#/$defs/d0",
        "$defs": {
            **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(24)},
            "d24": {"type": "string"},
        },
    },
    {"type": "object", "properties": {f"p{n}": {"type": "string", "maxLength": n} for n in range(20_000)}},
)


@dataclass
class Seen:
    """What the other users measure: seconds between the deltas of a stream, and of the responses of /healthz."""

    gaps: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    """Number of responses to each kind of attack."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether the stream has been measured for long enough."""


class Attack:
    """The hostile user's requests."""

    def __init__(self, url: str, session: aiohttp.ClientSession, attachment: str) -> None:
        self._url, self._session, self._attachment = url, session, attachment

    async def schemas(self) -> None:
        """Extract with the most expensive schemas."""
        for schema in HOSTILE_SCHEMAS:
            body = {"schema": schema, "content": f"[[sandbox: text={json.dumps(json.dumps('a' * 27 + '!'))}]]"}
            await self._post("/api/extraction/extractions/?wait=true", json=body)

    async def bodies(self) -> None:
        """Send 300 MB to the login endpoint, which needs no account, with and without a Content-Length."""
        for headers in ({"Content-Length": str(BODY)}, {}):
            await self._post("/api/auth/login/", data=_body(), headers={"Content-Type": "application/json", **headers})

    async def logins(self) -> None:
        """Try many wrong passwords at once."""
        wrong = {"username": "admin", "password": "wrong"}
        await asyncio.gather(*(self._post("/api/auth/login/", json=wrong) for _ in range(LOGINS)))

    async def tools(self) -> None:
        """Have Claude call tools that block their threads."""
        conversation = await self._post(
            "/api/conversations/", json={"tools": [{"type": "platform", "name": "oversleep"}]}
        )
        calls = {"content": f"[[sandbox: {'; '.join(['tool=oversleep{}'] * 8)}]]"}
        await self._post(f"/api/conversations/{conversation.get('id')}/turns/?wait=true", json=calls)

    async def files(self) -> None:
        """Request files that the storage takes seconds to return."""
        source = {"type": "attachment", "attachment": self._attachment}
        conversation = await self._post("/api/conversations/", json={})
        content = [{"type": "document", "source": source}, {"type": "text", "text": "What is in it?"}]
        path = f"/api/conversations/{conversation.get('id')}/turns/?wait=true"
        await asyncio.gather(*(self._post(path, json={"content": content}) for _ in range(4)))

    async def used(self) -> None:
        """Use once, as intended, the features that the attacks use."""
        schema = {"type": "object", "properties": {"name": {"type": "string"}}}
        for answer in ('{"name": "a"}', "nothing"):
            body = {"schema": schema, "content": f"[[sandbox: text={json.dumps(answer)}]]"}
            await self._post("/api/extraction/extractions/?wait=true", json=body)
        conversation = await self._post("/api/conversations/", json={})
        for content in ("Hello", "[[sandbox: error=invalid_request_error]]"):
            await self._post(f"/api/conversations/{conversation['id']}/turns/?wait=true", json={"content": content})
        await self._post("/api/auth/login/", json={"username": "admin", "password": "wrong"})

    async def _post(self, path: str, **options: Any) -> dict[str, Any]:
        try:
            async with self._session.post(self._url + path, **options) as response:
                return dict(await response.json())
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}  # the server refused the body before its end, as it should


async def _body() -> Any:
    for _ in range(BODY // len(CHUNK)):
        yield CHUNK


async def again(attack: Callable[[], Awaitable[None]], seen: Seen) -> None:
    """Repeat an attack until the stream has been measured for long enough."""
    name = attack.__name__
    while not seen.over.is_set():
        await attack()
        seen.done[name] = seen.done.get(name, 0) + 1


async def stream(url: str, session: aiohttp.ClientSession, conversation: str, seconds: float, seen: Seen) -> None:
    """Read an answer of 30 words a second for `seconds`, and record the time between its pieces."""
    body = {"content": "[[sandbox: words=100000; pace=0.033]]", "max_tokens": 64_000}
    path = f"{url}/api/conversations/{conversation}/turns/"
    async with session.post(path, json=body, headers={"Accept": "text/event-stream"}) as response:
        response.raise_for_status()
        first = last = 0.0
        async for line in response.content:
            if not line.startswith(b"data:") or b"_delta" not in line:
                continue
            now = asyncio.get_running_loop().time()
            if first:
                seen.gaps.append(now - last)
            first, last = first or now, now
            if now - first > seconds:
                break
    seen.over.set()


async def health(url: str, session: aiohttp.ClientSession, seen: Seen) -> None:
    """Request /healthz every 50 ms, and record how long each response takes."""
    while not seen.over.is_set():
        began = time.monotonic()
        async with session.get(f"{url}/healthz") as response:
            response.raise_for_status()
        seen.health.append(time.monotonic() - began)
        await asyncio.sleep(0.05)


async def measure(url: str, process: psutil.Process, seconds: float, hostile: str, other: str) -> None:
    """Measure the other user's stream alone, and then during all attacks."""
    timeout = aiohttp.ClientTimeout(total=60)
    theirs = aiohttp.ClientSession(headers={"Authorization": f"Bearer {hostile}"}, timeout=timeout)
    ours = aiohttp.ClientSession(headers={"Authorization": f"Bearer {other}"}, timeout=aiohttp.ClientTimeout(None))
    async with theirs, ours:
        attack = Attack(url, theirs, await _attachment(url, theirs))
        await attack.used()
        for title, attacked in (("alone", False), ("attacked", True)):
            before, seen = process.memory_info().rss, Seen()
            conversation = (await (await ours.post(f"{url}/api/conversations/", json={})).json())["id"]
            work: list[Awaitable[None]] = [
                stream(url, ours, conversation, seconds if attacked else seconds / 3, seen),
                health(url, ours, seen),
            ]
            if attacked:
                kinds = (attack.schemas, attack.bodies, attack.logins, attack.tools, attack.files)
                work += [again(kind, seen) for kind in kinds]
            watching = asyncio.create_task(_watch(process, peak := [before]))
            await asyncio.gather(*work)
            await asyncio.sleep(SETTLE)
            watching.cancel()
            after = process.memory_info().rss
            print(
                f"{title}: longest gap {max(seen.gaps) * 1000:.0f} ms of {len(seen.gaps)}, slowest /healthz "
                f"{max(seen.health) * 1000:.0f} ms of {len(seen.health)}, memory {before // MEGABYTE} MB, at most "
                f"{max(peak) // MEGABYTE} MB, {after // MEGABYTE} MB after it ({after / before:.2f} times)",
                flush=True,
            )
            if attacked:
                print("attacks: " + ", ".join(f"{name} {number}" for name, number in seen.done.items()))


async def _attachment(url: str, session: aiohttp.ClientSession) -> str:
    form = aiohttp.FormData()
    form.add_field("file", b"A text.\n" * 1000, filename="text.txt", content_type="text/plain")
    async with session.post(f"{url}/api/attachments/", data=form) as response:
        response.raise_for_status()
        return str((await response.json())["id"])


async def _watch(process: psutil.Process, peak: list[int]) -> None:
    while True:
        peak.append(process.memory_info().rss)
        await asyncio.sleep(0.2)


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.hostile")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()

    from conversations.sandbox.server import running_sandbox
    from tests.processes import ServerProcess

    print(machine(), flush=True)
    with prepared() as database:
        (hostile, _), (other, _) = users(1), users(1)
        settings = "tests.slow_storage_settings"
        with (
            running_sandbox() as sandbox,
            ServerProcess("uvicorn", database, sandbox.url, DJANGO_SETTINGS_MODULE=settings) as server,
        ):
            process = psutil.Process(server.process.pid)
            asyncio.run(measure(server.url, process, options.seconds, hostile, other))


if __name__ == "__main__":
    main()
