"""Reading the text of a request, PDFs included, without images. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conversations.sandbox.pdf_text import text_of_pdf

Body = dict[str, Any]
Block = Body
"""An object of JSON as it came, or as it is answered. Its shape is the SDK's (`sdk_shapes`), once that was checked."""

GO_ON = "Your answer was cut. Go on exactly where it stopped"
"""How a message begins that asks for the rest of an answer (extraction/asking.py)."""
LEAST_TO_GO_ON = 3  # messages: a question, an answer that was cut, and that


def without_going_on(body: Body) -> tuple[Body, str]:
    """Return a request for a continuation in its original form, and the answer so far.

    Any other request is returned unchanged.
    """
    messages = body["messages"]
    if len(messages) < LEAST_TO_GO_ON or not text(messages[-1]["content"]).startswith(GO_ON):
        return body, ""
    return {**body, "messages": messages[:-2]}, text(messages[-2]["content"])


def blocks(content: Any) -> list[Block]:
    """Return a message's content as blocks, also if it is a plain string."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def texts(content: object) -> list[str]:
    """Return the texts of a message's text blocks, without empty ones."""
    return [block["text"] for block in blocks(content) if block["type"] == "text" and block["text"]]


def text(content: object) -> str:
    """Return the joined texts of a message's text blocks."""
    return "\n".join(texts(content))


def of_documents(body: Body) -> list[str]:
    """Return the text of each document that has any: given as text, as text blocks, or as a PDF."""
    return [text for text in (_of_document(block["source"]) for block in _attached(body, "document")) if text.strip()]


def _of_document(source: Block) -> str:
    match source["type"]:
        case "text":
            return str(source["data"])
        case "content":
            return text(source["content"])
        case "base64":
            return text_of_pdf(source["data"])
    return ""


def unreadable(body: Body) -> bool:
    """Return whether the request depends on content that the sandbox cannot read.

    That is a document without text, or an image if there is no text to answer from.
    """
    documents = [block["source"] for block in _attached(body, "document")]
    if any(source["type"] not in ("text", "content") and not _of_document(source).strip() for source in documents):
        return True
    written = documents or any(text(message["content"]) for message in body["messages"] if message["role"] == "user")
    return not written and any(True for _ in _attached(body, "image"))


def seen(body: Body) -> str:
    """Return the number of messages in the request and its attachments, as text."""
    number = len(body["messages"])
    parts = [f"{number} message{'s' if number > 1 else ''}"]
    for block in _attached(body, "image", "document"):
        source = block["source"]
        parts.append(f"{block['type']} ({source.get('media_type') or source.get('url')})")
    return ", ".join(parts)


def _attached(body: Body, *kinds: str) -> Iterator[Block]:
    for message in body["messages"]:
        yield from (block for block in blocks(message["content"]) if block["type"] in kinds)
