"""Checking whether a request fits into its model's context window, before it is sent.

Claude refuses input that is too long by itself; input that is too long only together with `max_tokens` is accepted
(claude-api.md 13).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from conversations.claude import catalogue
from conversations.contract.wire import Request
from conversations.errors import ClaudeError, InvalidRequest

IMAGE = 5_000  # tokens at most (claude-api.md 6)
PAGE = 8_000  # tokens of a PDF's page at most: its text and its picture
BYTES_PER_PAGE = 500  # at least
PAGES = 600  # of a PDF that Claude fetches itself, at most


async def check_fits(request: Request, count: Callable[[Request], Awaitable[int]]) -> None:
    """Refuse input that is too long by InvalidRequest. Tokens are counted, by `count`, only if it may be too long."""
    model = catalogue.find(request["model"])
    if model is None or most_tokens(request) <= model.context_window:
        return
    try:
        tokens = await count(request)
    except ClaudeError:
        return  # then the request itself will tell
    if tokens > model.context_window:
        raise InvalidRequest(
            f"The conversation has {tokens} tokens; {model.id} takes at most {model.context_window}. Choose a model "
            "with a larger context window, or go on from an earlier message.",
            details={"input_tokens": tokens, "context_window": model.context_window},
        )


def most_tokens(request: Request) -> int:
    """Return an upper bound of the request's input tokens: no token is shorter than a byte."""
    return sum(most_tokens_of(request.get(name)) for name in ("system", "tools", "messages"))


def most_tokens_of(value: object) -> int:
    """Return an upper bound of the tokens of a part of a request."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, list):
        return sum(map(most_tokens_of, value))
    if not isinstance(value, dict):
        return len(str(value))
    source = value.get("source")
    if value.get("type") == "image":
        return IMAGE
    if value.get("type") == "document" and isinstance(source, dict) and source.get("type") in ("base64", "url"):
        return _most_of_file(source) if source["type"] == "base64" else PAGE * PAGES
    return sum(len(key) + most_tokens_of(each) for key, each in value.items())


def _most_of_file(source: Mapping[str, Any]) -> int:
    """Return an upper bound of a file's tokens; `size`, in bytes, replaces the data if only sizes are known."""
    size: int = source["size"] if "size" in source else len(source["data"]) * 3 // 4
    return size if source["media_type"] == "text/plain" else PAGE * (size // BYTES_PER_PAGE + 1)
