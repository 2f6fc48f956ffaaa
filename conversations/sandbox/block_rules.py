"""The rules for single content blocks. Pure."""

from __future__ import annotations

import base64
import binascii

from conversations.content.media import identify
from conversations.errors import ColloquyError
from conversations.sandbox.refused import Refused, require
from conversations.sandbox.request_text import Block
from conversations.sandbox.sdk_shapes import BLOCKS, IMAGE_TYPES

IMAGE_LIMIT = 10 * 1024 * 1024  # characters of base64

USER = frozenset({"text", "image", "document", "search_result", "tool_result", "container_upload"})
ASSISTANT = BLOCKS.keys() - {
    "image",
    "search_result",
    "tool_result",
    "container_upload",
    "tool_addition",
    "tool_removal",
}
IN_RESULT = ("text", "image", "document", "search_result", "tool_reference")
IN_DOCUMENT = ("text", "image")
OWN = "sandbox_"
"""Kinds that begin like this are the sandbox's own: it invents them, and takes them back as they were."""


def check_block(block: Block, role: str, path: str, *, version: str = "2026-10-21") -> None:
    """Refuse a block that is not allowed at this place."""
    require(isinstance(block, dict) and isinstance(block.get("type"), str), f"{path}: must be a content block")
    kind = block["type"]
    if kind.startswith(OWN) and role == "assistant":
        return
    require(_may_stand(kind, role, version), f"{path}.type: '{kind}' blocks are not allowed in {role} messages")
    BLOCKS[kind].check(block, path, deep=role != "assistant")
    if kind == "text":
        require(
            isinstance(block["text"], str) and block["text"].strip(), "messages: text content blocks must be non-empty"
        )
        cited = role == "user" and version != "2023-06-01" and block.get("citations")
        require(not cited, f"{path}.citations: not permitted in user messages")
    elif kind == "image":
        _check_image(block["source"], f"{path}.source")
    elif kind == "document":
        _check_document(block["source"], f"{path}.source", version)
        _check_citations(block, path)
        for name in ("title", "context"):
            require(isinstance(block.get(name) or "", str), f"{path}.{name}: Input should be a valid string")
    elif kind == "search_result":
        _check_citations(block, path)
        _check_inner(block["content"], ("text",), f"{path}.content", version)
    elif kind == "tool_result":
        _check_result(block, path, version)
    elif kind in ("tool_use", "server_tool_use"):
        require(isinstance(block["input"], dict), f"{path}.input: Input should be a valid dictionary")


def _may_stand(kind: str, role: str, version: str) -> bool:
    if role == "assistant":
        document = kind != "document" or version == "2023-06-01"
        return kind in ASSISTANT and document
    return kind == "text" if role == "system" else kind in USER


def _check_citations(block: Block, path: str) -> None:
    citations = block.get("citations")
    fine = citations is None or (isinstance(citations, dict) and isinstance(citations.get("enabled", False), bool))
    require(fine, f"{path}.citations.enabled: Input should be a valid boolean")


def _check_image(source: Block, path: str) -> None:
    kind = _source_kind(source, path, ("base64", "url", "file"))
    if kind == "url":
        require(str(source.get("url", "")).startswith(("https://", "http://")), f"{path}.url: must be a URL")
    elif kind == "base64":
        require(source.get("media_type") in IMAGE_TYPES, f"{path}.media_type: not a supported image type")
        require(len(source.get("data", "")) <= IMAGE_LIMIT, f"{path}.data: image exceeds 10 MB")
        _check_bytes(source, path)


def _check_document(source: Block, path: str, version: str) -> None:
    kind = _source_kind(source, path, ("base64", "url", "text", "content", "file"))
    if kind == "base64":
        require(source.get("media_type") == "application/pdf", f"{path}.media_type: must be application/pdf")
        _check_bytes(source, path)
    elif kind == "text":
        require(source.get("media_type") == "text/plain", f"{path}.media_type: must be text/plain")
    elif kind == "content":
        _check_inner(source.get("content"), IN_DOCUMENT, f"{path}.content", version)


def _source_kind(source: Block, path: str, kinds: tuple[str, ...]) -> str:
    require(isinstance(source, dict) and source.get("type") in kinds, f"{path}.type: must be one of {', '.join(kinds)}")
    return str(source["type"])


def _check_bytes(source: Block, path: str) -> None:
    try:
        found = identify(base64.b64decode(source.get("data", ""), validate=True))
    except (binascii.Error, ValueError):
        raise Refused(400, f"{path}.data: invalid base64 data") from None
    except ColloquyError as error:
        raise Refused(400, f"{path}.data: could not process image: {error}") from None
    require(
        found.media_type == source["media_type"], f"{path}: the data is {found.media_type}, not {source['media_type']}"
    )


def _check_result(block: Block, path: str, version: str) -> None:
    _check_inner(block.get("content", ""), IN_RESULT, f"{path}.content", version)


def _check_inner(content: object, kinds: tuple[str, ...], path: str, version: str) -> None:
    """Refuse nested content that is neither text nor a list of blocks of these kinds."""
    require(isinstance(content, (str, list)), f"{path}: must be a string or a list")
    for index, each in enumerate(content if isinstance(content, list) else []):
        kind = each.get("type") if isinstance(each, dict) else None
        require(kind in kinds, f"{path}.{index}.type: not allowed here")
        if kind != "tool_reference":
            check_block(each, "user", f"{path}.{index}", version=version)
