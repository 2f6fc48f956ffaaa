from __future__ import annotations

from conversations.asgi_types import Receive, Scope, Send


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse the handshake at any path but `/ws/`; Channels itself would log a traceback."""
    await receive()
    await send({"type": "websocket.close"})
