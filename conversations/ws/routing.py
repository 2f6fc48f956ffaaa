from __future__ import annotations

from conversations.asgi_types import Receive, Scope, Send
from conversations.ws.consumer import Socket


async def sockets(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the WebSocket at `/ws/`, and refuse the handshake at any other path.

    Channels' own router would keep a copy of the scope as long as the socket, and log a traceback for unknown paths.
    """
    if scope["path"].removeprefix(scope.get("root_path", "")) == "/ws/":
        await Socket()(scope, receive, send)
    else:
        await receive()
        await send({"type": "websocket.close"})
