"""Parsing the directives for the sandbox in a prompt."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from conversations.json_types import JSON
from conversations.sandbox.refused import Refused
from conversations.sandbox.request_text import Block

OPENING = re.compile(r"\[\[sandbox:\s*")
NAME = re.compile(r"\s*([a-z_0-9.]+)\s*(=)?\s*")
BARE = re.compile(r"[^;{\]]*")

FLAGS = frozenset(
    [
        "thinking",
        "redacted_thinking",
        "refusal",
        "fence",
        "prose",
        "web_search",
        "citations",
        "empty",
        "late_usage",
        "one_chunk",
        "split_utf8",
        "crlf",
        "no_ping",
        "duplicate_message_start",
        "no_retry",
        "expire",
        "always",
    ]
)
VALUES = frozenset(
    [
        "text",
        "words",
        "json",
        "stop_reason",
        "stop_sequence",
        "refusal",
        "thinking",
        "block",
        "content",
        "pace",
        "delay",
        "chunk",
        "error",
        "times",
        "retry_after",
        "error_after",
        "cut_after",
        "cut_clean_after",
        "cut_midbyte_after",
        "stall_after",
        "raw",
        "content_type",
    ]
)


@dataclass
class Directives:
    """Directives by name; `tools` are the calls in order."""

    values: dict[str, Any] = field(default_factory=dict)
    tools: list[tuple[str, Block]] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    then: Directives | None = None
    """What to do when the conversation has gone on from that without a new prompt: after tools, or a pause."""

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str | None:
        """Return a directive's value, or None where it was given without one."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str, default: float = 0) -> float:
        """Return a directive's value as a number."""
        value = self.values.get(name)
        try:
            return default if value is None else float(value)
        except (TypeError, ValueError):
            raise _unknown(f"{name}={value}") from None

    def after(self, name: str) -> tuple[int, str] | None:
        """Return a number of deltas, and the rest: `N` or `N:WHAT`."""
        value = self.text(name)
        if value is None:
            return None
        count, _, what = value.partition(":")
        if not count.isdecimal():
            raise _unknown(f"{name}={value}")
        return int(count), what


def parse(text: str) -> tuple[Directives, str]:
    """Return the directives in a text, and the text without them. Refuse unknown ones as typos."""
    first = directives = Directives()
    rest: list[str] = []
    position = 0
    while opening := OPENING.search(text, position):
        rest.append(text[position : opening.start()])
        position, directives = _parse_one(text, opening.end(), directives)
    rest.append(text[position:])
    return first, "".join(rest).strip()


def _parse_one(text: str, position: int, directives: Directives) -> tuple[int, Directives]:
    while not text.startswith("]]", position):
        name = NAME.match(text, position)
        if name is None:
            raise _unknown(text[position : position + 40])
        position = name.end()
        value: JSON = True
        if name[2]:
            value, position = _value(text, position)
        if name[1] == "then":
            directives.then = directives = Directives()
        else:
            _set(directives, name[1], value)
        separator = re.compile(r"\s*;?\s*").match(text, position)
        position = separator.end() if separator else position
    return position + 2, directives


def _value(text: str, position: int) -> tuple[JSON, int]:
    if text.startswith(('"', "["), position):
        return _json(text, position)
    bare = BARE.match(text, position)
    end = bare.end() if bare else position
    value = text[position:end].strip()
    if text.startswith("{", end):
        parsed, end = _json(text, end)
        value += json.dumps(parsed)
    return value, end


def _json(text: str, position: int) -> tuple[JSON, int]:
    try:
        return json.JSONDecoder().raw_decode(text, position)
    except ValueError:
        raise _unknown(text[position : position + 40]) from None


def _set(directives: Directives, name: str, value: JSON) -> None:
    if name == "tool" and isinstance(value, str):
        tool, brace, rest = value.partition("{")
        directives.tools.append((tool, _input(brace + rest) if brace else {}))
    elif name.startswith("usage.") and isinstance(value, str) and value.isdecimal():
        directives.usage[name.removeprefix("usage.")] = int(value)
    elif name in (FLAGS if value is True else VALUES):
        directives.values[name] = value
    else:
        raise _unknown(name)


def _input(text: str) -> Block:
    try:
        given: Block = json.loads(text)
    except ValueError:
        raise _unknown(text[:40]) from None
    return given


def _unknown(what: str) -> Refused:
    return Refused(400, f"The sandbox does not know this directive: {what}")
