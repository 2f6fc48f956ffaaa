"""Merging runs of string deltas, of which answers mostly consist, in one step. Pure.

A single delta costs a JSON parse, a validation and some ten calls; here everything around the strings of many deltas is
compared at once. Only Claude's own formats are recognised, with and without spaces; the caller reads all others event
by event.
"""

from __future__ import annotations

import re

import orjson

from conversations.content.transcript import STRING_DELTAS
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Delta

_BEGIN = re.compile(
    r"(?:event: content_block_delta\n)?"
    r'data: \{"type": ?"content_block_delta", ?"index": ?(0|[1-9][0-9]{0,8}), ?'
    r'"delta": ?\{"type": ?"([a-z_]+)", ?"([a-z_]+)": ?"'
)
_END = '"}}\n\n'
_PADDED_END = re.compile(r'"\} +\}\n\n')
# The content of a JSON string: invalid and incomplete content does not match (RFC 8259, section 7).
_STRING = re.compile(r'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
_SPECIAL = re.compile(r'["\\\x00-\x1f]')
"""The characters for which a string's content has to be parsed."""


def joined_run(events: bytes) -> Event | None:
    """Return a run of string deltas of one block as one delta with the concatenated string.

    `events` are complete server-sent events with LF as line end. Return None if they are anything else, contain
    surrogates, or do not all begin alike.
    """
    try:
        text = _PADDED_END.sub(_END, events.decode())
        begun = _BEGIN.match(text)
        if begun is None or not text.endswith(_END, begun.end()):
            return None
        index, kind, name = begun.groups()
        field = STRING_DELTAS.get(kind)
        if field is None or field != name:
            return None
        # Between two strings there are quotes and line ends, which are in none of them.
        strings = text[begun.end() : -len(_END)].split(_END + begun[0])
        string = "".join(strings)
        if _SPECIAL.search(string):
            if not all(map(_STRING.fullmatch, strings)):
                return None
            string = orjson.loads(f'"{string}"')
    except ValueError:
        return None
    delta: Delta = {"type": kind}
    delta[field] = string
    return {"type": "content_block_delta", "index": int(index), "delta": delta}
