"""Converting an answer to Claude's stream of events, and to bytes with injected faults."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from conversations.sandbox.directives import Directives
from conversations.sandbox.request_text import Block, Body

PIECES = re.compile(r"\S+\s*|\s+")
JSON_PIECE = 12  # characters

# Fields that are streamed in deltas, and so are empty in content_block_start.
STREAMED: dict[str, Block] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "tool_use": {"input": {}},
    "server_tool_use": {"input": {}},
}


def events_of(message: Body, directives: Directives) -> Iterator[Block]:
    """Yield the events that add up to a message."""
    usage = {**message["usage"], "output_tokens": 1}
    start = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    start.pop("stop_details", None)
    for _ in range(2 if "duplicate_message_start" in directives else 1):
        yield {"type": "message_start", "message": start}
    if "no_ping" not in directives:
        yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        begun = {**block, **STREAMED.get(block["type"], {})}
        if block["type"] == "text" and "citations" in block:
            begun["citations"] = []
        yield {"type": "content_block_start", "index": index, "content_block": begun}
        for delta in deltas_of(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        if block["type"].startswith("sandbox_"):
            yield {"type": "sandbox_event", "index": index, "note": "no client knows this kind of event"}
        yield {"type": "content_block_stop", "index": index}
    yield _message_delta(message, directives)
    yield {"type": "message_stop"}


def _message_delta(message: Body, directives: Directives) -> Block:
    usage = message["usage"]
    names = ["output_tokens", "server_tool_use", "output_tokens_details"]
    if "late_usage" in directives:
        names += ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"]
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    if message.get("stop_details"):
        delta["stop_details"] = message["stop_details"]
    if any(block["type"] == "server_tool_use" and "code_execution" in block["name"] for block in message["content"]):
        delta["container"] = {"id": f"container_{message['id']}", "expires_at": "2100-01-01T00:00:00Z", "skills": None}
    return {"type": "message_delta", "delta": delta, "usage": {name: usage[name] for name in names if name in usage}}


def deltas_of(block: Block) -> Iterator[Block]:
    """Yield the deltas of a block."""
    kind = block["type"]
    if kind == "text":
        for citation in block.get("citations") or ():
            yield {"type": "citations_delta", "citation": citation}
        yield from ({"type": "text_delta", "text": piece} for piece in PIECES.findall(block["text"]))
    elif kind == "thinking":
        for piece in PIECES.findall(block["thinking"]):
            yield {"type": "thinking_delta", "thinking": piece}
        yield {"type": "signature_delta", "signature": block["signature"]}
    elif kind in ("tool_use", "server_tool_use"):
        text = json.dumps(block["input"]) if block["input"] else ""
        yield {"type": "input_json_delta", "partial_json": ""}
        for start in range(0, len(text), JSON_PIECE):
            yield {"type": "input_json_delta", "partial_json": text[start : start + JSON_PIECE]}
    elif kind.startswith("sandbox_"):
        yield {"type": "sandbox_delta", "part": "light"}


def encoded(event: Block, directives: Directives) -> bytes:
    """Encode an event, with the line ends of the directives."""
    end = "\r\n" if "crlf" in directives else "\n"
    data = json.dumps(event, ensure_ascii=False)
    return f"event: {event['type']}{end}data: {data}{end}{end}".encode()


def chunked(data: bytes, directives: Directives) -> Iterator[bytes]:
    """Yield the bytes in chunks, as the directives say."""
    if "split_utf8" in directives:
        borders = [index for index in range(1, len(data)) if data[index] & 0xC0 == 0x80]
    elif "chunk" in directives:
        borders = list(range(0, len(data), max(1, int(directives.number("chunk")))))[1:]
    else:
        borders = []
    for start, end in zip([0, *borders], [*borders, len(data)], strict=True):
        yield data[start:end]


class Cut(Exception):
    """The stream stops here: `clean` with the end of the response, else with the end of the connection."""

    def __init__(self, *, clean: bool, last: bytes = b"") -> None:
        super().__init__()
        self.clean = clean
        self.last = last


def raw_parts(directives: Directives) -> Iterator[bytes | float]:
    """Yield the parts of the directive `raw`: bytes, and seconds of silence. Raise Cut at a null."""
    given = directives.values["raw"]
    for part in given if isinstance(given, list) else [given]:
        if part is None:
            raise Cut(clean=False)
        yield part.encode(errors="surrogateescape") if isinstance(part, str) else float(part)


FAULTS = ("cut_after", "cut_clean_after", "cut_midbyte_after", "error_after", "stall_after")


class Faults:
    """The faults that are injected after a number of deltas."""

    def __init__(self, directives: Directives) -> None:
        found = {name: directives.after(name) for name in FAULTS}
        self._after = {name: after for name, after in found.items() if after is not None}
        self._deltas = 0

    def before(self, event: Block) -> float | Block | None:
        """Return the fault before an event: seconds of silence, an error event instead of it, or None. Raise Cut."""
        if event["type"] != "content_block_delta":
            return None
        found = self._at(self._deltas)
        self._deltas += 1
        return found

    def _at(self, deltas: int) -> float | Block | None:
        for name, (count, what) in self._after.items():
            if count != deltas:
                continue
            match name:
                case "error_after":
                    kind = what or "overloaded_error"
                    error = {"type": kind, "message": f"The sandbox was told to fail: {kind}"}
                    return {"type": "error", "error": error}
                case "stall_after":
                    return float(what or 3600)
                case "cut_midbyte_after":
                    raise Cut(clean=True, last='event: content_block_delta\ndata: {"text": "é'.encode()[:-1])
            raise Cut(clean=name == "cut_clean_after")
        return None
