"""The platform's application with a monitor of its event loop: `GET /watch` returns the longest block.

The figure is the maximal CPU time of the loop's thread for one round of the loop, in seconds, since the last request.
Time in which the thread waits for a processor of a busy machine does not count.
"""

from __future__ import annotations

import asyncio
import json
import time

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from config.asgi import application as platform

BEAT = 0.001  # seconds


class Watch:
    """A monitor of the CPU time that the event loop's thread takes between two wake-ups."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._beating: asyncio.Task[None] | None = None

    def read(self) -> float:
        """Return the longest time since the last call, in seconds; start measuring at the first call."""
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
    """Respond with the monitor's reading to `/watch`, and as the platform does to all else."""
    if scope["type"] != "http" or scope["path"] != "/watch":
        await platform(scope, receive, send)
        return
    body = json.dumps(watch.read()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": False})
    await send({"type": "http.response.body", "body": body, "more_body": False})
