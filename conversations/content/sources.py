"""The sources of images and documents in content: attachments, base64 and URLs. Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Container, Sequence

from conversations.content.media import CLAUDES_DOCUMENTS, IMAGE_TYPES
from conversations.contract.wire import Block, Source
from conversations.errors import InvalidRequest, UnsupportedMediaType


def with_sources(blocks: Sequence[Block], change: Callable[[Source], Source]) -> list[Block]:
    """Return the blocks with each source of an image or document changed, including nested ones."""
    changed: list[Block] = []
    for block in blocks:
        source, content = block.get("source"), block.get("content")
        if block.get("type") in ("image", "document") and isinstance(source, dict):
            block = {**block, "source": _changed_source(source, change)}
        elif block.get("type") == "tool_result" and isinstance(content, list):
            block = {**block, "content": with_sources(content, change)}
        changed.append(block)
    return changed


def _changed_source(source: Source, change: Callable[[Source], Source]) -> Source:
    parts = source.get("content")
    return {**source, "content": with_sources(parts, change)} if isinstance(parts, list) else change(source)


def has_sources(blocks: Sequence[Block]) -> bool:
    """Return whether there is an image or a document in the blocks, including nested ones."""
    found: list[Source] = []

    def note(source: Source) -> Source:
        found.append(source)
        return source

    with_sources(blocks, note)
    return bool(found)


def attachments_in(blocks: Sequence[Block]) -> set[str]:
    """Return the ids of the attachments in the blocks."""
    found: set[str] = set()

    def note(source: Source) -> Source:
        if source.get("type") == "attachment":
            found.add(source["attachment"])
        return source

    with_sources(blocks, note)
    return found


def images_in(blocks: Sequence[Block]) -> list[Source]:
    """Return the sources of all images, including nested ones."""
    found: list[Source] = []
    for block in blocks:
        source = block.get("source")
        inner = source if block.get("type") == "document" else block
        if block.get("type") == "image" and isinstance(source, dict):
            found.append(source)
        elif isinstance(inner, dict) and isinstance(inner.get("content"), list):
            found += images_in([each for each in inner["content"] if isinstance(each, dict)])
    return found


def check_attachments(
    blocks: Sequence[Block], path: str = "content", documents: Container[str] = CLAUDES_DOCUMENTS
) -> None:
    """Refuse attachments of a wrong type. They have their media types.

    `documents` are the allowed types of a document. Raise InvalidRequest for an image as a document or vice versa,
    UnsupportedMediaType for a document of another type.
    """
    for index, block in enumerate(blocks):
        source = block.get("source")
        if isinstance(source, dict) and source.get("type") == "attachment":
            _check_attachment(source["media_type"], block["type"], f"{path}.{index}.source", documents)
        inner, at = (source, f"{index}.source") if block.get("type") == "document" else (block, str(index))
        if isinstance(inner, dict) and isinstance(inner.get("content"), list):
            within = [each for each in inner["content"] if isinstance(each, dict)]
            check_attachments(within, f"{path}.{at}.content", documents)


def _check_attachment(media_type: str, kind: str, path: str, documents: Container[str]) -> None:
    image = media_type in IMAGE_TYPES
    if image != (kind == "image"):
        raise InvalidRequest.at(
            path,
            f"Must name {'an image' if kind == 'image' else 'a document'}; this attachment is {media_type}.",
        )
    if not image and media_type not in documents:
        message = f"{path}: Is {media_type}, which Claude does not accept; it can only be used for extraction."
        raise UnsupportedMediaType(message, details={path: "unsupported"})


def with_base64(blocks: Sequence[Block], read: Callable[[Source], tuple[str, bytes]]) -> list[Block]:
    """Return the blocks in Claude's form, with base64 in place of attachments.

    `read` returns the media type and the bytes of an attachment's source.
    """

    def expand(source: Source) -> Source:
        if source.get("type") != "attachment":
            return source
        media_type, data = read(source)
        if media_type == "text/plain":
            return {"type": "text", "media_type": media_type, "data": data.decode()}
        return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode("ascii")}

    return with_sources(blocks, expand)


def with_urls(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks in the API's form: attachments have a URL."""

    def show(source: Source) -> Source:
        if source.get("type") != "attachment":
            return source
        return {**source, "url": f"/api/attachments/{source['attachment']}/content/"}

    return with_sources(blocks, show)
