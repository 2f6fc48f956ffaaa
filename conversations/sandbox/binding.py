"""Signatures that bind thinking to everything before it (claude-api.md 2.7). Pure.

A signature of the sandbox encodes the model, system prompt, tools and messages of the block, and the thinking block
before it: thinking may be omitted from the beginning, but not between other thinking blocks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from conversations.claude.catalogue import Model
from conversations.sandbox.refused import Refused
from conversations.sandbox.request_text import Block, Body

SIGNATURES = {"thinking": "signature", "redacted_thinking": "data"}
"""The kinds of blocks that are bound, and where each has its signature."""
MARK = "sandbox"


def signature(body: Body, before: str | None = None) -> str:
    """Return the signature of a block at the beginning of a request's answer, or after another block `before`."""
    *found, (_, prefix) = _walk({**body, "messages": [*body["messages"], _answer(before)]})
    earlier = _signature_of(found[-1][0]) if found else ""
    return ":".join((MARK, body["model"], prefix, _hash(earlier)))


def _answer(before: str | None) -> Body:
    first = [{"type": "thinking", "signature": before}] if before is not None else []
    return {"role": "assistant", "content": [*first, {"type": "thinking"}]}


def check_binding(body: Body, model: Model) -> None:
    """Refuse thinking after another prefix than its own. Blocks of other models are not checked."""
    earlier = ""
    for block, prefix in _walk(body) if model.preserved_thinking else ():
        found = _signature_of(block)
        mark, made_by, *bound = [*found.split(":"), "", ""][:4]
        if mark == MARK and made_by == body["model"]:
            chained = not earlier or bound[1] == _hash(earlier)
            if bound[0] != prefix or not chained:
                raise Refused(400, f"messages: `{block['type']}`: invalid signature, bound to a different conversation")
        earlier = found


def _signature_of(block: Block) -> str:
    return str(block.get(SIGNATURES[block["type"]]))


def _walk(body: Body) -> Iterator[tuple[Block, str]]:
    """Yield each thinking block, and the hash of all other content before it."""
    seen = hashlib.sha256(_json([_blocks(body.get("system") or ""), body.get("tools") or []]))
    for message in body["messages"]:
        for block in _blocks(message["content"]):
            if block["type"] in SIGNATURES:
                yield block, seen.hexdigest()[:16]
            else:
                seen.update(_json([message["role"], block]))


def _blocks(content: Any) -> list[Block]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _json(value: object) -> bytes:
    return json.dumps(_plain(value)).encode()


def _plain(value: object) -> object:
    """Return a value without cache marks, which may change."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if key != "cache_control"}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _hash(earlier: str) -> str:
    return hashlib.sha256(earlier.encode()).hexdigest()[:16]
