"""Validating content from outside, and normalising its form. Pure.

The limits are Claude's (claude-api.md 6): content that it would refuse is refused before anything is stored.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from conversations.content.cache_marks import is_mark
from conversations.content.json_checks import check_text
from conversations.content.media import IMAGE_TYPES, PDF, PLAIN, TEXTUAL, identify
from conversations.contract.wire import Block, Source
from conversations.errors import InvalidRequest, UnsupportedMediaType

Unchecked = Mapping[str, object]
"""A JSON object from outside."""

BLOCKS_LIMIT = 1000
IMAGE_BASE64_LIMIT = 10 * 1024 * 1024
DOCUMENT_BASE64_LIMIT = 32 * 1024 * 1024
URL_LIMIT = 8192
PDF_ONLY = frozenset([PDF])
"""The types of documents that Claude accepts as base64 (claude-api.md 6)."""

# The fields of each kind of block that a user may send: required and optional ones.
KINDS: dict[str, tuple[set[str], set[str]]] = {
    "text": ({"text"}, {"cache_control"}),
    "image": ({"source"}, {"cache_control"}),
    "document": ({"source"}, {"title", "context", "citations", "cache_control"}),
    "tool_result": ({"tool_use_id"}, {"content", "is_error", "cache_control"}),
    "search_result": ({"source", "title", "content"}, {"citations", "cache_control"}),
    "tool_reference": ({"tool_name"}, {"cache_control"}),
}
ONLY_ASKED = frozenset(KINDS) - {"text"}
"""The kinds of blocks that stand in questions and never in answers."""
IN_MESSAGE = KINDS.keys() - {"tool_reference"}
IN_TOOL_RESULT = KINDS.keys() - {"tool_result"}
SOURCES: dict[str, set[str]] = {
    "base64": {"media_type", "data"},
    "url": {"url"},
    "text": {"media_type", "data"},
    "attachment": {"attachment"},
    "content": {"content"},
}


def checked_blocks(content: object, path: str = "content", documents: Iterable[str] = PDF_ONLY) -> list[Block]:
    """Return a user's content as blocks; a string is one text block.

    `documents` are the media types that documents in base64 may have. Raises InvalidRequest or UnsupportedMediaType.
    """
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise InvalidRequest.at(path, "Must be a string or a list of content blocks.")
    if not 0 < len(content) <= BLOCKS_LIMIT:
        raise InvalidRequest.at(path, f"Must have 1 to {BLOCKS_LIMIT} blocks.")
    return check_blocks(content, path, IN_MESSAGE, documents)


def checked_results(results: list[object]) -> list[Block]:
    """Return a client's tool results as `tool_result` blocks. Raise as `checked_blocks`."""
    if not 0 < len(results) <= BLOCKS_LIMIT:
        raise InvalidRequest.at("results", f"Must have 1 to {BLOCKS_LIMIT} results.")
    found: list[object] = []
    for index, each in enumerate(results):
        if not isinstance(each, dict):
            raise InvalidRequest.at(f"results.{index}", "Must be an object.")
        _check_fields(each, f"results.{index}", {"tool_use_id", "content"}, {"tool_use_id", "content", "is_error"})
        found.append({"type": "tool_result", "is_error": False, **each})
    blocks = check_blocks(found, "results", ("tool_result",))
    ids = [block["tool_use_id"] for block in blocks]
    if len(set(ids)) < len(ids):
        raise InvalidRequest.at("results", "Must have one result for each call, and so no `tool_use_id` twice.")
    return blocks


def check_blocks(
    blocks: list[Any], path: str, kinds: Iterable[str], documents: Iterable[str] = PDF_ONLY
) -> list[Block]:
    """Return the value as blocks of these kinds. Raise InvalidRequest or UnsupportedMediaType."""
    check_text(blocks, path)
    for index, block in enumerate(blocks):
        _check_block(block, f"{path}.{index}", kinds, documents)
    return blocks


def _check_block(block: object, path: str, kinds: Iterable[str], documents: Iterable[str] = PDF_ONLY) -> None:
    if not isinstance(block, dict):
        raise InvalidRequest.at(path, "Must be a content block: an object with a `type`.")
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        raise InvalidRequest.at(f"{path}.type", f"Must be one of {', '.join(sorted(kinds))}.")
    required, optional = KINDS[kind]
    _check_fields(block, path, required, required | optional | {"type"})
    if not is_mark(block.get("cache_control")):
        raise InvalidRequest.at(f"{path}.cache_control", 'Must be {"type": "ephemeral"}, with a ttl of 5m or 1h.')
    if kind == "document":
        _check_document(block, path, documents)
    else:
        CHECKS[kind](block, path)


def _check_fields(value: Unchecked, path: str, required: set[str], allowed: set[str]) -> None:
    for name in (name for name in value if name not in allowed):
        raise InvalidRequest.at(f"{path}.{name}", f"Unknown field; allowed fields: {', '.join(sorted(allowed))}.")
    for name in sorted(required - value.keys()):
        raise InvalidRequest.at(f"{path}.{name}", "This field is required.")


def _string(block: Unchecked, name: str, path: str) -> str:
    value = block[name]
    if not isinstance(value, str) or not value.strip():
        raise InvalidRequest.at(f"{path}.{name}", "Must be a string with more than white space.")
    return value


def _check_text_block(block: Unchecked, path: str) -> None:
    _string(block, "text", path)


def _check_image(block: Unchecked, path: str) -> None:
    source = _source(block, path, ("base64", "url", "attachment"))
    if source["type"] == "base64":
        _check_base64(source, f"{path}.source", IMAGE_TYPES, IMAGE_BASE64_LIMIT)


def _check_document(block: Unchecked, path: str, types: Iterable[str]) -> None:
    source = _source(block, path, ("base64", "url", "text", "content", "attachment"))
    kind = source["type"]
    if kind == "base64":
        _check_base64(source, f"{path}.source", types, DOCUMENT_BASE64_LIMIT)
    elif kind == "text" and source["media_type"] != "text/plain":
        raise UnsupportedMediaType(
            f"{path}.source.media_type: Must be text/plain.", details={f"{path}.source.media_type": "unsupported"}
        )
    elif kind == "content" and isinstance(source["content"], list):
        for index, each in enumerate(source["content"]):
            _check_block(each, f"{path}.source.content.{index}", ("text", "image"))
    for name in ("title", "context"):
        if not isinstance(block.get(name, ""), str | None):
            raise InvalidRequest.at(f"{path}.{name}", "Must be a string.")
    _check_citations(block, path)


def _check_citations(block: Unchecked, path: str) -> None:
    citations = block.get("citations")
    if citations is None:
        return
    if not _is_citations(citations):
        raise InvalidRequest.at(f"{path}.citations", 'Must be {"enabled": true or false}.')


def _is_citations(value: object) -> bool:
    return isinstance(value, dict) and value.keys() <= {"enabled"} and isinstance(value.get("enabled", False), bool)


def _source(block: Unchecked, path: str, kinds: tuple[str, ...]) -> Source:
    source = block["source"]
    path = f"{path}.source"
    if not _is_source(source, kinds):
        raise InvalidRequest.at(f"{path}.type", f"Must be one of {', '.join(kinds)}.")
    kind = source["type"]
    # The API returns attachments with media type and URL, and clients may send these again.
    extra = {"media_type", "url"} if kind == "attachment" else set()
    _check_fields(source, path, SOURCES[kind], SOURCES[kind] | extra | {"type"})
    for name in SOURCES[kind]:
        if not (kind == "content" and isinstance(source["content"], list) and source["content"]):
            _string(source, name, path)
    if kind == "url":
        _check_url(source["url"], f"{path}.url")
    return source


def _is_source(source: object, kinds: tuple[str, ...]) -> TypeGuard[Source]:
    return isinstance(source, dict) and source.get("type") in kinds


def _check_url(url: str, path: str) -> None:
    """Refuse a URL that is not a public one. Claude fetches it, never the platform."""
    if not _is_public_address(url) or len(url) > URL_LIMIT:
        complaint = f"Must be an https address without a user or white space, of at most {URL_LIMIT} characters."
        raise InvalidRequest.at(path, complaint)


def _is_public_address(url: str) -> bool:
    if " " in url or not url.isprintable():  # `urlsplit` leaves line breaks and tabs out
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:  # of a port, or a host in brackets
        return False


def _check_base64(source: Source, path: str, types: Iterable[str], limit: int) -> None:
    declared = source["media_type"]
    if declared not in types:
        message = f"{path}.media_type: Must be one of {', '.join(sorted(types))}, not {declared}."
        raise UnsupportedMediaType(message, details={f"{path}.media_type": "unsupported"})
    if len(source["data"]) > limit:
        raise InvalidRequest.at(f"{path}.data", f"Must have at most {limit} characters.")
    try:
        found = identify(base64_decoded(source["data"]), declared).media_type
    except ValueError:
        raise InvalidRequest.at(f"{path}.data", "Must be base64.") from None
    except UnsupportedMediaType as error:
        raise UnsupportedMediaType(f"{path}.data: {error.message}", details={f"{path}.data": "unsupported"}) from None
    except InvalidRequest as error:
        raise InvalidRequest.at(f"{path}.data", error.message) from None
    if found != declared and not (found == PLAIN and declared in TEXTUAL):
        raise InvalidRequest.at(f"{path}.media_type", f"Says {declared}, but the data is {found}.")


def base64_encoded(data: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def base64_decoded(data: str) -> bytes:
    """Return the bytes of Base64, read strictly. Raises ValueError."""
    return base64.b64decode(data.encode("ascii"), validate=True)


def _check_tool_result(block: Unchecked, path: str) -> None:
    _string(block, "tool_use_id", path)
    if not isinstance(block.get("is_error", False), bool):
        raise InvalidRequest.at(f"{path}.is_error", "Must be true or false.")
    content = block.get("content", "")
    if isinstance(content, list):
        for index, each in enumerate(content):
            _check_block(each, f"{path}.content.{index}", IN_TOOL_RESULT)
    elif not isinstance(content, str):
        raise InvalidRequest.at(f"{path}.content", "Must be a string or a list of content blocks.")


def _check_search_result(block: Unchecked, path: str) -> None:
    _string(block, "source", path)
    _string(block, "title", path)
    if not isinstance(block["content"], list) or not block["content"]:
        raise InvalidRequest.at(f"{path}.content", "Must be a list of text blocks.")
    for index, each in enumerate(block["content"]):
        _check_block(each, f"{path}.content.{index}", ("text",))
    _check_citations(block, path)


def _check_tool_reference(block: Unchecked, path: str) -> None:
    _string(block, "tool_name", path)


CHECKS: dict[str, Callable[[Unchecked, str], None]] = {
    "text": _check_text_block,
    "image": _check_image,
    "tool_result": _check_tool_result,
    "search_result": _check_search_result,
    "tool_reference": _check_tool_reference,
}
