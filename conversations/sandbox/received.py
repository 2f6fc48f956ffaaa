"""The sandbox's record of received requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass
class Received:
    """A request that the sandbox received, and the outcome of its response."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    received_at: float
    """Seconds since the epoch."""
    status: int = 0
    finished_at: float | None = None
    disconnected: bool = False
    """Whether the client left before the end of the answer."""


ID = web.RequestKey("id", str)
RECEIVED = web.RequestKey("received", Received)
