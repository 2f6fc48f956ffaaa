"""From stored messages to a request that Claude accepts. Pure; the rules are those of claude-api.md 2 and 8."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]

# What a conversation's settings are called in a request; everything else of them is ours alone.
PLAIN_SETTINGS = ("system", "temperature", "stop_sequences", "thinking", "tools", "tool_choice")
THINKING = frozenset({"thinking", "redacted_thinking"})
NOT_RUN = "The tool was not run: the answer was stopped before that."


@dataclass(frozen=True)
class Said:
    """A stored message, as much of it as a request needs."""

    role: str
    content: Sequence[Block]
    stop_reason: str | None = None
    prefix: object = None
    """What the answer was made under besides the messages before it: model, system and tools. Comparable."""


def build(
    said: Iterable[Said],
    settings: dict[str, Any],
    expand: Callable[[Sequence[Block]], list[Block]],
    prefix: object = None,
) -> dict[str, Any]:
    """The body of a Messages request for a path of messages, the newest of them a user's.

    `expand` puts the bytes of attachments back in; `prefix` is what the request is made under, to be compared with that
    of each answer.
    """
    messages = list(said)
    keep_thinking = all(message.prefix == prefix for message in messages if message.role == "assistant")
    cleaned = [(message.role, _cleaned(message, keep_thinking)) for message in messages if not _refused(message)]
    path = [(role, content) for role, content in _paired(_merged(cleaned)) if content]
    if path and path[-1][0] == "assistant":
        path[-1] = ("assistant", _prefill(path[-1][1]))
    request: dict[str, Any] = {
        "model": settings["model"],
        "max_tokens": settings["max_tokens"],
        "messages": [{"role": role, "content": expand(content)} for role, content in path],
    }
    request.update({key: settings[key] for key in PLAIN_SETTINGS if settings.get(key) not in (None, "", [])})
    if settings.get("effort"):
        request["output_config"] = {"effort": settings["effort"]}
    return request


def cut_text(content: Sequence[Block], stop_reason: str | None) -> str:
    """The text with which an answer that was cut ends; empty where there is none to go on from."""
    blocks = _cleaned(Said("assistant", content, stop_reason), keep_thinking=False)
    return str(blocks[-1].get("text", "")).rstrip() if blocks else ""


def _prefill(content: list[Block]) -> list[Block]:
    """The beginning of an answer, as Claude takes it: no thinking, no white space at its end."""
    blocks = [block for block in content if block.get("type") not in THINKING]
    if blocks and blocks[-1].get("type") == "text":
        blocks[-1] = {**blocks[-1], "text": blocks[-1]["text"].rstrip()}
    return blocks


def _refused(message: Said) -> bool:
    """A refused answer is not replayed (claude-api.md 3.2)."""
    return message.role == "assistant" and message.stop_reason == "refusal"


def _cleaned(message: Said, keep_thinking: bool) -> list[Block]:
    blocks = list(message.content)
    if message.role == "assistant":
        if message.stop_reason in (None, "max_tokens") and blocks and blocks[-1].get("type") in CUT_SHORT:
            blocks.pop()  # its input, or its signature, may never have come to an end
        if not keep_thinking:
            # Thinking is bound to all that came before it, and refused under another prefix (claude-api.md 2.7).
            blocks = [block for block in blocks if block.get("type") not in THINKING]
        if all(block.get("type") in THINKING for block in blocks):
            blocks = []
    return [block for block in blocks if not _empty_text(block)]


CUT_SHORT = frozenset({"tool_use", "server_tool_use", "mcp_tool_use", "thinking"})


def _empty_text(block: Block) -> bool:
    return block.get("type") == "text" and not str(block.get("text", "")).strip()


def _merged(messages: Iterable[tuple[str, list[Block]]]) -> list[tuple[str, list[Block]]]:
    """One message for every run of the same role; none without content."""
    merged: list[tuple[str, list[Block]]] = []
    for role, content in messages:
        if not content:
            continue
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(content)
        else:
            merged.append((role, list(content)))
    return merged


def _paired(messages: list[tuple[str, list[Block]]]) -> list[tuple[str, list[Block]]]:
    """Every tool call answered in the very next message, results first; results of no call left out."""
    paired: list[tuple[str, list[Block]]] = []
    calls: list[str] = []
    for role, content in messages:
        if role == "assistant":
            if calls:
                paired.append(("user", _results(calls, [])))
            paired.append((role, content))
            calls = [block["id"] for block in content if block.get("type") == "tool_use"]
        else:
            paired.append((role, _results(calls, content)))
            calls = []
    if calls:
        paired.append(("user", _results(calls, [])))
    return paired


def _results(calls: list[str], content: list[Block]) -> list[Block]:
    given = {block.get("tool_use_id"): block for block in content if block.get("type") == "tool_result"}
    rest = [block for block in content if block.get("type") != "tool_result"]
    return [given.get(call) or _not_run(call) for call in calls] + rest


def _not_run(call: str) -> Block:
    return {"type": "tool_result", "tool_use_id": call, "content": NOT_RUN, "is_error": True}
