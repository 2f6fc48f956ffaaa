"""Runs of string deltas, of which an answer mostly consists, read in one step. Pure.

A delta for itself costs a JSON parser, a check and some ten calls; here one regular expression finds all of them. It
knows only the form in which Claude sends them, with and without spaces; the caller reads all else event by event.
"""

from __future__ import annotations

import re

import orjson

from conversations.content.transcript import STRING_DELTAS
from conversations.contract.transcript_events import Event
from conversations.contract.wire import Delta

# A JSON string's inside: what it may not be, in whole or in part, does not match (RFC 8259, section 7).
_STRING = r'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*'
_DELTA = re.compile(
    r"(?:\A|(?<=\n\n))(?:event: content_block_delta\n)?"
    r'data: \{"type": ?"content_block_delta", ?"index": ?(0|[1-9][0-9]{0,8}), ?'
    rf'"delta": ?\{{"type": ?"([a-z_]+)", ?"([a-z_]+)": ?"({_STRING})"\}} *\}}\n\n'
)


def joined_run(events: bytes) -> Event | None:
    """Return a run of string deltas of one block as one delta, whose string is all of theirs together.

    `events` are whole server-sent events, whose lines end by LF. Returns None where they are anything else, or have
    halves of characters in them.
    """
    try:
        text = events.decode()
        found = _DELTA.findall(text)
        if not found or len(found) < text.count("\n\n"):
            return None
        (index, kind, name), *others = {each[:3] for each in found}
        field = STRING_DELTAS.get(kind)
        if others or field is None or field != name:
            return None
        string = "".join(each[3] for each in found)
        if "\\" in string:
            string = orjson.loads(f'"{string}"')
    except ValueError:
        return None
    delta: Delta = {"type": kind}
    delta[field] = string
    return {"type": "content_block_delta", "index": int(index), "delta": delta}
