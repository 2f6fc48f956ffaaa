"""Uvicorn's protocols, with limits on the resources of a client that does not read, or does not stop sending.

uvicorn gets the classes' paths, and imports them before Django is set up.
"""

from __future__ import annotations

import asyncio
import json
import sys

from django.conf import settings
from httptools import HttpParserInvalidMethodError
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from conversations.api.middleware import HEADER, new_id
from conversations.errors import InvalidRequest
from conversations.ws.codes import TOO_SLOW

LAST_WORDS = 3  # seconds for sending the close frame to a reader that does not read
HEAD_LIMIT = 64 * 1024  # bytes of a request's head; what follows a body in chunks counts as one
LINGER = 30  # seconds for a client to send the rest of a refused body
LATE = 0.05  # seconds in which a request is still accepted that arrives at the end of the keep-alive time


class HttpProtocol(HttpToolsProtocol):
    """The HTTP protocol, with limits per client.

    A client that has not read for `COLLOQUY_SEND_TIMEOUT` seconds is disconnected; it can resume where it was. A head
    without an end is refused: the parser would buffer it without a limit. The rest of a body that was answered before
    it was read is discarded for a limited time, so that the client can read the response. A client that has connected,
    or has begun a request, has `COLLOQUY_RECEIVE_TIMEOUT` seconds to send the whole head, and as many between two parts
    of the body.
    """

    _stalled: asyncio.TimerHandle | None = None
    _lingering: asyncio.TimerHandle | None = None
    _awaited: asyncio.TimerHandle | None = None
    """Runs while the client has to send more of a request."""
    _head = 0
    """Bytes received since the last complete head or part of a body."""
    _whole = True
    """Whether the last request that has begun has come whole."""
    _body_came = False
    """Whether a part of the body has come since `_awaited` was started."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._await_more()

    def data_received(self, data: bytes) -> None:
        """Parse the data, and refuse a request head that is too long."""
        self._head += len(data)
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:  # refused, or now a WebSocket
            return
        if self._head > HEAD_LIMIT:
            self.send_400_response("The request's headers are too large.")
        elif self._whole and not self._is_answered():
            self._stop_awaiting()
        elif self._awaited is None:
            self._await_more()

    def _is_answered(self) -> bool:
        return self.cycle is None or bool(self.cycle.response_complete)

    def _await_more(self) -> None:
        self._body_came = False
        self._awaited = self.loop.call_later(settings.COLLOQUY_RECEIVE_TIMEOUT, self._has_not_come)

    def _stop_awaiting(self) -> None:
        _stop(self._awaited)
        self._awaited = None

    def _has_not_come(self) -> None:
        """Refuse a request that has not come whole, unless its body comes on, or waits for us to read it."""
        if self._body_came or self.flow.read_paused:
            self._await_more()
        elif not self._whole:
            self._refuse(
                408, f"The request did not arrive completely within {settings.COLLOQUY_RECEIVE_TIMEOUT:g} seconds."
            )
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer an invalid HTTP request in the contract's shape, and close the connection.

        The status is 405 if the parser has failed because of an unknown method.
        """
        if isinstance(sys.exc_info()[1], HttpParserInvalidMethodError):
            self._refuse(405, "There is no such HTTP method.")
        else:
            self._refuse(400, msg)

    def _refuse(self, status: int, message: str) -> None:
        """Answer a request that can't be read, unless an answer has begun, and close the connection."""
        if self._is_answered() or not self.cycle.response_started:
            self._write_refusal(status, message)
        self.transport.close()

    def _write_refusal(self, status: int, message: str) -> None:
        id = new_id()
        body = json.dumps(InvalidRequest(message).payload(id)).encode()
        headers = (
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (HEADER.encode(), id.encode()),
            (b"connection", b"close"),
        )
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[status] + lines + b"\r\n" + body)

    def on_message_begin(self) -> None:
        """Take the beginning of a request."""
        self._whole = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer the request whose head is complete; the next head's size counts from zero."""
        self._head = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Receive a part of the body."""
        self._head, self._body_came = 0, True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Continue with the next request, if this one was answered before its end arrived."""
        self._head, self._whole = 0, True
        super().on_message_complete()
        if self._lingering is not None:
            _stop(self._lingering)
            self._lingering = None
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the WebSocket's protocol, which has clocks of its own."""
        self._stop_awaiting()
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        """Give the client time to send the rest of a request that was answered early."""
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body and not self.transport.is_closing():
            self._lingering = self.loop.call_later(LINGER, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, unless a request has just arrived: uvloop runs timers before it reads."""
        self.timeout_keep_alive_task = self.loop.call_later(LATE, super().timeout_keep_alive_handler)

    def pause_writing(self) -> None:
        """Start the timeout for the client to read: the send buffer is full."""
        super().pause_writing()
        self._stalled = self.loop.call_later(settings.COLLOQUY_SEND_TIMEOUT, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the timeout: the client has read."""
        _stop(self._stalled)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers of a closed connection."""
        _stop(self._stalled)
        _stop(self._lingering)
        _stop(self._awaited)
        super().connection_lost(exc)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """The WebSocket protocol with the same limits; a client that does not read gets a close code."""

    _stalled: asyncio.TimerHandle | None = None

    def start_keepalive(self) -> None:
        """Release the headers after the handshake: they would be kept, three times, as long as the socket."""
        super().start_keepalive()
        self.request.headers.clear()
        self.response.headers.clear()
        self.scope["headers"] = []

    def data_received(self, data: bytes) -> None:
        """Parse the data. An unreadable handshake (with a line over 8 KB, or a body) is refused and closed.

        Uvicorn would neither answer such a handshake nor close the connection.
        """
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def pause_writing(self) -> None:
        """Start the timeout for the client to read: the send buffer is full."""
        super().pause_writing()
        self._stalled = self.loop.call_later(settings.COLLOQUY_SEND_TIMEOUT, self._leave)

    def resume_writing(self) -> None:
        """Stop the timeout: the client has read."""
        if not self.close_sent:
            _stop(self._stalled)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers of a closed connection."""
        _stop(self._stalled)
        super().connection_lost(exc)

    def keepalive_timeout(self) -> None:
        """Disconnect a client that has not answered a ping, and tell the application."""
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1011})
        super().keepalive_timeout()

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
