"""What the sandbox can read of a request: text, and neither images nor PDFs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Block = dict[str, Any]
Body = dict[str, Any]

WITHOUT_TEXT = frozenset({"base64", "url", "file"})
"""The kinds of sources of documents that are files, which somebody would have to read first: PDFs."""

GO_ON = "Your answer was cut. Go on exactly where it stopped"
"""How a message begins that asks for the rest of an answer (extraction/asking.py)."""
LEAST_TO_GO_ON = 3  # messages: a question, an answer that was cut, and that


def without_going_on(body: Body) -> tuple[Body, str]:
    """Return a request for the rest of an answer as it was at first, and what there is of the answer.

    Any other request is returned as it is.
    """
    messages = body["messages"]
    if len(messages) < LEAST_TO_GO_ON or not text(messages[-1]["content"]).startswith(GO_ON):
        return body, ""
    return {**body, "messages": messages[:-2]}, text(messages[-2]["content"])


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
