"""The platform's application, with a watch on its event loop: `GET /watch` tells how long that was held since the last.

What is told is the time of the loop's own thread that one round of it took at most, in seconds: what a busy machine
adds, on which the thread waits for its turn, does not count.
"""

from __future__ import annotations

import asyncio
import json
import time

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from config.asgi import application as platform

BEAT = 0.001  # seconds


class Watch:
    """Notes how much of its thread's time an event loop takes between two beats."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._beating: asyncio.Task[None] | None = None

    def read(self) -> float:
        """Return the longest time since the last look; begin where it has not begun."""
        self._beating = self._beating or asyncio.create_task(self._beat())
        longest, self.longest = self.longest, 0.0
        return longest

    async def _beat(self) -> None:
        last = time.thread_time()
        while True:
            await asyncio.sleep(BEAT)
            now = time.thread_time()
            self.longest, last = max(self.longest, now - last), now


watch = Watch()


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer with the watch's reading, or as the platform does."""
    if scope["type"] != "http" or scope["path"] != "/watch":
        await platform(scope, receive, send)
        return
    body = json.dumps(watch.read()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": False})
    await send({"type": "http.response.body", "body": body, "more_body": False})
