"""Uvicorn's protocols, with readers that don't read left behind: it would keep them for as long as they stay.

Named by their paths to uvicorn, which imports them before Django is set up.
"""

from __future__ import annotations

import asyncio

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from conversations.ws.codes import TOO_SLOW

LAST_WORDS = 3  # seconds that a reader who was left gets to hear why


class HttpProtocol(HttpToolsProtocol):
    """Cuts a client that has not read for `COLLOQUY_SEND_TIMEOUT` seconds; it can resume where it was."""

    _stalled: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """As much is on its way to the client as may be."""
        super().pause_writing()
        self._stalled = self.loop.call_later(settings.COLLOQUY_SEND_TIMEOUT, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads."""
        _stop(self._stalled)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        _stop(self._stalled)
        super().connection_lost(exc)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """The same for a socket, which is told so with a close code, should it ever read on."""

    _stalled: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """As much is on its way to the client as may be."""
        super().pause_writing()
        self._stalled = self.loop.call_later(settings.COLLOQUY_SEND_TIMEOUT, self._leave)

    def resume_writing(self) -> None:
        """It reads."""
        if not self.close_sent:
            _stop(self._stalled)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        _stop(self._stalled)
        super().connection_lost(exc)

    def _leave(self) -> None:
        # Not by `send`, which would wait until the client reads.
        if not self.close_sent:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": TOO_SLOW})
            self.conn.send_close(TOO_SLOW)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self.transport.close()
        self._stalled = self.loop.call_later(LAST_WORDS, self.transport.abort)


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
