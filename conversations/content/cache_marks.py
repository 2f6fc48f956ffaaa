"""Placing cache marks, so that the next turn reads the prompt for a tenth of its price. Pure.

The scheme is that of claude-api.md 12: a mark that moves with the end of the conversation, one on a system prompt that
is long enough to be cached by itself, and one at the end of the last request if a turn has added more blocks than the
look-back. Prefixes stay the same byte for byte, since stored blocks are sent verbatim.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from conversations.contract.input_blocks import CacheControl
from conversations.contract.wire import Block, Message, Request

MARK: CacheControl = {"type": "ephemeral"}
MOST = 4  # marks in a request
LIFETIMES = ("5m", "1h")
LOOKBACK = 20  # blocks before a mark in which an earlier one is found
CHARACTERS_PER_TOKEN = 4
UNMARKED = frozenset({"thinking", "redacted_thinking"})
MARKABLE: tuple[Literal["tools", "system", "messages"], ...] = ("tools", "system", "messages")
NESTED = ("content", "source")
"""The fields with nested blocks of messages, tool results and documents."""


def is_mark(value: object) -> bool:
    """Return whether Claude accepts a value as a block's `cache_control`; null is none."""
    if not isinstance(value, dict):
        return value is None
    known = value.get("type") == "ephemeral" and not value.keys() - {"type", "ttl"}
    return known and value.get("ttl", LIFETIMES[0]) in LIFETIMES


def with_cache_marks(request: Request, minimum: int | None) -> Request:
    """Return the request with cache marks.

    `minimum` is the model's minimal number of tokens to cache; with None no marks are added.

    If the user has set marks, no others are added: only they know what should be cached and for how long.
    """
    if _has_mark([request.get("tools"), request.get("system"), request["messages"]]):
        return _limited(request)
    if minimum is None:
        return request
    marked: Request = {**request, "cache_control": MARK, "messages": _with_last_end(request["messages"])}
    system = request.get("system")
    if system and _length(system) >= minimum * CHARACTERS_PER_TOKEN:
        blocks: list[Block] = [{"type": "text", "text": system}] if isinstance(system, str) else system
        marked["system"] = [*blocks[:-1], {**blocks[-1], "cache_control": MARK}]
    return marked


def _has_mark(value: object) -> bool:
    return next(_marks(value), None) is not None


def _limited(request: Request) -> Request:
    """Return the request with at most as many of its user's marks as Claude accepts, in a valid order.

    The marks of many turns accumulate. The newest marks of messages are kept: they also find what older ones have
    cached.
    """
    fixed = [*_marks([request.get("tools"), request.get("system")])]
    said = [*_marks(request["messages"])]
    room = max(MOST - len(fixed), 0)
    dropped = max(len(said) - room, 0)
    marks = iter(_in_order([*fixed, *[None] * dropped, *said[dropped:]]))
    limited = request.copy()
    # Dicts keep their order, and so do the marks: tools, system, messages.
    for name in MARKABLE:
        if name in request:
            limited[name] = _remarked(request[name], marks)
    return limited


def _in_order(marks: list[CacheControl | None]) -> Iterator[CacheControl | None]:
    """Yield marks in an order that Claude accepts: none lives longer than one before it."""
    short = False
    for each in marks:
        mark = each if is_mark(each) else None
        short = short or (mark is not None and mark.get("ttl", LIFETIMES[0]) == LIFETIMES[0])
        yield MARK if mark is not None and short else mark


def _marks(value: object) -> Iterator[CacheControl]:
    """Yield the marks in tools, or in blocks and nested blocks, in the order of `_remarked`."""
    if isinstance(value, list):
        for each in value:
            yield from _marks(each)
    elif isinstance(value, dict):
        for name in NESTED:
            yield from _marks(value.get(name))
        if _is_marked(value):
            yield value["cache_control"]


def _remarked(value: object, marks: Iterator[CacheControl | None]) -> Any:
    """Return the tools or blocks with each mark replaced by the next of these; None removes it."""
    if isinstance(value, list):
        return [_remarked(each, marks) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {name: _remarked(value[name], marks) for name in NESTED if name in value}
    mark = next(marks) if _is_marked(value) else None
    rest = {name: each for name, each in {**value, **inner}.items() if name != "cache_control"}
    return rest if mark is None else {**rest, "cache_control": mark}


def _is_marked(block: Mapping[str, object]) -> bool:
    return block.get("cache_control") is not None and block.get("type") not in UNMARKED


def _length(system: str | list[Block]) -> int:
    return len(system) if isinstance(system, str) else sum(len(block["text"]) for block in system)


def _with_last_end(messages: list[Message]) -> list[Message]:
    """Return the messages with a mark at the end of the last request, if that is too far from this one's end."""
    asked = [index for index, message in enumerate(messages) if message["role"] == "user"]
    if len(asked) < 2:
        return messages
    end = asked[-2]
    added = sum(len(message["content"]) for message in messages[end + 1 :])
    last = messages[end]["content"][-1]
    if added <= LOOKBACK or last.get("type") in UNMARKED:
        return messages
    content: list[Block] = [*messages[end]["content"][:-1], {**last, "cache_control": MARK}]
    return [*messages[:end], {**messages[end], "content": content}, *messages[end + 1 :]]
