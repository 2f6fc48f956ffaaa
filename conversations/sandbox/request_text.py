"""What the sandbox can read of a request: text, and neither images nor PDFs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Block = dict[str, Any]
Body = dict[str, Any]

WITHOUT_TEXT = frozenset({"base64", "url", "file"})
"""The kinds of sources of documents that are files, which somebody would have to read first: PDFs."""


def blocks(content: Any) -> list[Block]:
    """Return a message's content as blocks, also where it is a plain string."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def texts(content: Any) -> list[str]:
    """Return the texts of a message's text blocks, without empty ones."""
    return [block["text"] for block in blocks(content) if block["type"] == "text" and block["text"]]


def text(content: Any) -> str:
    """Return the texts of a message's text blocks as one."""
    return "\n".join(texts(content))


def of_documents(body: Body) -> str:
    """Return the text of the documents that are given as text or as text blocks."""
    sources = [block["source"] for block in _attached(body) if block["type"] == "document"]
    plain = [source["data"] for source in sources if source["type"] == "text"]
    return "\n".join(plain + [text(source["content"]) for source in sources if source["type"] == "content"])


def unreadable(body: Body) -> bool:
    """Return whether the request rests on something that the sandbox cannot read.

    That is a PDF, or an image where the user has written nothing that an answer could be made from.
    """
    kinds = {block["type"] for block in _attached(body) if block["source"]["type"] in WITHOUT_TEXT}
    written = any(text(message["content"]) for message in body["messages"] if message["role"] == "user")
    return "document" in kinds or ("image" in kinds and not written)


def seen(body: Body) -> str:
    """Return how many messages the request has and what is attached to them, in words."""
    number = len(body["messages"])
    parts = [f"{number} message{'s' if number > 1 else ''}"]
    for block in _attached(body):
        source = block["source"]
        parts.append(f"{block['type']} ({source.get('media_type') or source.get('url')})")
    return ", ".join(parts)


def _attached(body: Body) -> Iterator[Block]:
    for message in body["messages"]:
        yield from (block for block in blocks(message["content"]) if block["type"] in ("image", "document"))
