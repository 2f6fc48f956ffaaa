"""Reading an answer: from the bytes of a response to validated events. Pure.

An answer is a stream of server-sent events. Some servers respond with a complete message as JSON, which is converted to
the equivalent events, or with an error as JSON and status 200, which becomes an error event.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from conversations.claude.delta_runs import joined_run
from conversations.claude.sse_decoder import BOM, LONGEST, Decoder, ServerSentEvent, events_in
from conversations.claude.stream_events import STREAMED, EventChecker
from conversations.claude.values import error_message, error_type, excerpt, parse
from conversations.content.transcript import string_delta
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Answer, Delta
from conversations.errors import ClaudeError, MalformedAnswer, StreamError, StreamIncomplete, status_of


class AnswerReader:
    """Reads the body of one response, in chunks of any size."""

    def __init__(self, request_id: str = "", media_type: str = "") -> None:
        self.trouble: ClaudeError | None = None
        """The error with which the answer ended: an error event, or a fault of the stream."""
        self._request_id, self._media_type = request_id, media_type
        self._checker = EventChecker()
        self._decoder = Decoder()
        self._head: bytes | None = b""
        """The bytes before it is known whether the body is JSON: white space, and a byte order mark."""
        self._json: list[bytes] | None = None
        """The chunks of a body that is one JSON object."""
        self._size = 0

    @property
    def stopped(self) -> bool:
        """Return whether the answer is complete: later events are ignored."""
        return self._checker.stopped

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that end in this chunk, up to message_stop or to a fault, which is kept in `trouble`."""
        self._size += len(chunk)
        if self._head is not None:
            chunk = self._beginning(self._head + chunk)
        if self._json is None:
            return self._read(self._sse(chunk))
        self._json.append(chunk)
        if self._size > LONGEST:
            self.trouble = MalformedAnswer(f"it is longer than {LONGEST} bytes")
        return []

    def _beginning(self, head: bytes) -> bytes:
        """Return the body's beginning; empty as long as its kind is unknown."""
        text = head.removeprefix(BOM).lstrip()
        if BOM.startswith(head) or (not text and self._size <= LONGEST):
            self._head = head
            return b""
        self._head = None
        if text.startswith(b"{"):
            self._json = []
        return head

    def end(self) -> list[Event]:
        """Return the events that the end of the response completes; set `trouble` if the answer is incomplete."""
        events = [] if self.trouble or self.stopped else self._read(self._last())
        if not self.stopped:
            self.trouble = self.trouble or self._incomplete()
        return events + self._checker.end()

    def _last(self) -> Iterator[Event]:
        """Yield the event that is complete only now that the response has ended."""
        if self._json is not None:
            yield from _of_json(b"".join(self._json))
            return
        with suppress(MalformedAnswer):
            yield from [_named(sse) for sse in self._decoder.end()]

    def _incomplete(self) -> ClaudeError:
        if self._checker.begun or self._media_type in ("", "text/event-stream"):
            return StreamIncomplete(request_id=self._request_id)
        return MalformedAnswer(f"it is no stream of events, but {self._media_type}")

    def _sse(self, chunk: bytes) -> Iterator[Event]:
        whole = self._decoder.take(chunk)
        run = joined_run(whole)
        yield from (run,) if run else map(_named, events_in(whole))

    def _read(self, found: Iterator[Event]) -> list[Event]:
        events: list[Event] = []
        try:
            for event in found:
                if event["type"] == "error":
                    raise self._error(event)
                events += self._checker.admit(event)
                if self.stopped:
                    break
        except ClaudeError as error:
            error.request_id = error.request_id or self._request_id
            self.trouble = error
        return events

    def _error(self, event: Event) -> StreamError:
        """Return the message of an error event; other servers may send only a string."""
        error = event.get("error")
        fields = error if isinstance(error, dict) else {"message": error or event.get("message")}
        kind, request_id = error_type(fields.get("type")), event.get("request_id")
        return StreamError(
            error_message(fields.get("message")),
            type=kind,
            status=status_of(kind),
            upstream_status=200,
            upstream_type=kind,
            request_id=request_id if isinstance(request_id, str) else None,
        )


def _named(sse: ServerSentEvent) -> Event:
    """Return the event with its type: its own, or the name under which it was sent."""
    came: Any = parse(sse.data)
    event: Event = came  # the checker validates its type
    if sse.name == b"error":
        event["type"] = "error"
    elif "type" not in event:
        kind = "error" if "error" in event else sse.name.decode(errors="replace")
        return {"type": kind, **event}
    return event


def _of_json(body: bytes) -> Iterator[Event]:
    """Yield the events that are equivalent to a body of JSON."""
    answer: Any = parse(body.removeprefix(BOM))
    if answer.get("type") == "error" or "error" in answer:
        answer["type"] = "error"
        yield answer
    elif answer.get("type") == "message" and isinstance(answer.get("content"), list):
        yield from _of_message(answer)
    else:
        raise MalformedAnswer(f"it is neither a stream of events nor a message: {excerpt(body)}")


def _of_message(message: Answer) -> Iterator[Event]:
    stop: Delta = {
        "stop_reason": message.get("stop_reason"),
        "stop_sequence": message.get("stop_sequence"),
        "stop_details": message.get("stop_details"),
    }
    begun: Answer = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(message["content"]):
        yield from _of_block(index, block)
    yield {"type": "message_delta", "delta": stop}
    yield {"type": "message_stop"}


def _of_block(index: int, block: Any) -> Iterator[Event]:
    kind = block.get("type") if isinstance(block, dict) else None
    text = block.get(kind) if isinstance(kind, str) and kind in STREAMED else None
    begun = block
    if isinstance(text, str):
        begun = {**block, kind: ""}
    yield {"type": "content_block_start", "index": index, "content_block": begun}
    if text:
        yield string_delta(index, STREAMED[str(kind)][1], text)
    yield {"type": "content_block_stop", "index": index}
