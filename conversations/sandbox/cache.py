"""The prompt cache: which marked prefixes of a request were seen before (claude-api.md 12)."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from dataclasses import dataclass

from conversations.claude.catalogue import Model
from conversations.sandbox import token_counts
from conversations.sandbox.request_text import Body

LIFETIMES = {"5m": 300.0, "1h": 3600.0}  # seconds
LOOKBACK = 20  # blocks
ENTRIES = 10_000


@dataclass(frozen=True)
class Split:
    """Input tokens by how they are billed."""

    uncached: int
    read: int
    written: dict[str, int]


def usage_of(split: Split) -> Body:
    """Return the usage at the beginning of an answer: the billed input, and no output yet."""
    return {
        "input_tokens": split.uncached,
        "cache_creation_input_tokens": sum(split.written.values()),
        "cache_read_input_tokens": split.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": split.written.get("5m", 0),
            "ephemeral_1h_input_tokens": split.written.get("1h", 0),
        },
        "output_tokens": 0,
        "service_tier": "standard",
        "inference_geo": "global",
    }


class PromptCache:
    """Marked prefixes, by their digests."""

    def __init__(self) -> None:
        self._expires: OrderedDict[str, float] = OrderedDict()

    def split(self, body: Body, model: Model) -> Split:
        """Return the input tokens of a request as they are billed, and remember its marked prefixes."""
        total = token_counts.of_request(body, model)
        prefixes = list(_prefixes(body, model))
        marks = [index for index, prefix in enumerate(prefixes) if prefix.ttl]
        if not marks:
            return Split(total, 0, {})
        last = prefixes[marks[-1]]
        if last.tokens < model.cache_minimum:
            return Split(total, 0, {})
        read = self._longest_known(prefixes, marks)
        for index in marks:
            self._remember(prefixes[index].digest, LIFETIMES[prefixes[index].ttl or "5m"])
        written = {last.ttl or "5m": last.tokens - read} if last.tokens > read else {}
        return Split(total - last.tokens, read, written)

    def _longest_known(self, prefixes: list[_Prefix], marks: list[int]) -> int:
        now = time.monotonic()
        within = {index for mark in marks for index in range(max(0, mark - LOOKBACK), mark + 1)}
        known = [prefixes[index].tokens for index in within if self._expires.get(prefixes[index].digest, 0) > now]
        return max(known, default=0)

    def _remember(self, digest: str, lifetime: float) -> None:
        self._expires[digest] = time.monotonic() + lifetime
        self._expires.move_to_end(digest)
        while len(self._expires) > ENTRIES:
            self._expires.popitem(last=False)


@dataclass(frozen=True)
class _Prefix:
    digest: str
    tokens: int
    ttl: str | None


def _prefixes(body: Body, model: Model) -> list[_Prefix]:
    digest = hashlib.sha256(model.id.encode())
    count = token_counts.TOOLS_OVERHEAD if body.get("tools") else 0
    found: list[_Prefix] = []
    blocks = _blocks(body)
    for index, (overhead, block) in enumerate(blocks):
        control = block.get("cache_control") if isinstance(block, dict) else None
        if control is None and index == len(blocks) - 1:
            control = body.get("cache_control")
        bare = (
            {key: value for key, value in block.items() if key != "cache_control"} if isinstance(block, dict) else block
        )
        digest.update(json.dumps(bare, sort_keys=True).encode())
        count += overhead + token_counts.of_value(bare, model)
        found.append(_Prefix(digest.hexdigest(), count, control.get("ttl", "5m") if control else None))
    return found


def _blocks(body: Body) -> list[tuple[int, object]]:
    """Yield all parts of a prompt in the order of caching, with the number of tokens before each."""
    blocks: list[tuple[int, object]] = [(0, tool) for tool in body.get("tools") or []]
    system = body.get("system")
    blocks += [(0, block) for block in ([system] if isinstance(system, str) else system or [])]
    for message in body["messages"]:
        content = message["content"] if isinstance(message["content"], list) else [message["content"]]
        blocks += [(0 if index else token_counts.PER_MESSAGE, block) for index, block in enumerate(content)]
    return blocks
