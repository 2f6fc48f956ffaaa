"""Where Claude is asked to keep a prompt, so that the next turn reads it for a tenth of its price. Pure.

The recipe is that of claude-api.md 12: a mark that moves with the end of the conversation, one on a system prompt long
enough to be kept by itself, and one where the last request ended if a turn has added more than is looked back over.
Prefixes stay the same byte for byte, since what was stored is sent again verbatim.
"""

from __future__ import annotations

from typing import Any

Request = dict[str, Any]

MARK = {"type": "ephemeral"}
LOOKBACK = 20  # blocks before a mark in which an earlier one is found
CHARACTERS_PER_TOKEN = 4
UNMARKED = frozenset({"thinking", "redacted_thinking"})


def marked(request: Request, minimum: int) -> Request:
    """The request with its marks; `minimum` is how many tokens the model keeps at least.

    A user's own marks are kept as they are, and none are added to them: at most four are taken, in an order of their
    lifetimes that only the user can know.
    """
    if _has_mark([request.get("tools"), request.get("system"), request["messages"]]):
        return request
    marked = {**request, "cache_control": MARK, "messages": _with_last_end(request["messages"])}
    system = request.get("system")
    if system and _length(system) >= minimum * CHARACTERS_PER_TOKEN:
        blocks = [{"type": "text", "text": system}] if isinstance(system, str) else system
        marked["system"] = [*blocks[:-1], {**blocks[-1], "cache_control": MARK}]
    return marked


def _has_mark(value: Any) -> bool:
    if isinstance(value, dict):
        return "cache_control" in value or _has_mark(value.get("content"))
    return isinstance(value, list) and any(map(_has_mark, value))


def _length(system: Any) -> int:
    return len(system) if isinstance(system, str) else sum(len(block["text"]) for block in system)


def _with_last_end(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages with a mark at the end of the last request, if it is out of sight from the end of this one."""
    asked = [index for index, message in enumerate(messages) if message["role"] == "user"]
    if len(asked) < 2:
        return messages
    end = asked[-2]
    added = sum(len(message["content"]) for message in messages[end + 1 :])
    last = messages[end]["content"][-1]
    if added <= LOOKBACK or last.get("type") in UNMARKED:
        return messages
    content = [*messages[end]["content"][:-1], {**last, "cache_control": MARK}]
    return [*messages[:end], {**messages[end], "content": content}, *messages[end + 1 :]]
