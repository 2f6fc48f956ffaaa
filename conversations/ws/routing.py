from __future__ import annotations

from typing import Any


async def not_found(scope: Any, receive: Any, send: Any) -> None:
    """Refuse the handshake at any path but `/ws/`; Channels itself would log a traceback."""
    await receive()
    await send({"type": "websocket.close"})
