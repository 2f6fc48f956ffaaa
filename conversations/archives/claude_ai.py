"""Converting conversations of claude.ai's exports to lines of our archives.

The blocks of Claude's tools there are shown and never sent to Claude again, and so is thinking, which is exported
without its signature (content/foreign_answers.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from conversations.archives.code_fences import fenced
from conversations.archives.foreign_files import ForeignFiles
from conversations.archives.loose_json import Object, object_in, objects_in, text_in, time_in
from conversations.archives.message_tree import Node, distinct_ids, line_of, tree_of
from conversations.contract.wire import Block
from conversations.json_types import JSONObject

SOURCE = "claude.ai"
ROLES = {"human": "user", "user": "user", "assistant": "assistant"}
NOT_FOR_IDS = re.compile(r"[^!-~]")
SILENT = frozenset({"token_budget", "flag", "redacted_thinking"})
"""Kinds of blocks without content for the reader."""


def convert(conversation: Object, form: str, files: ForeignFiles) -> dict[str, object]:
    """Return a conversation as a line. Omissions are noted in `files`."""
    messages = list(objects_in(conversation, "chat_messages"))
    by_parents = any(text_in(each, "parent_message_uuid") for each in messages)
    ids = distinct_ids(text_in(each, "uuid") or str(number) for number, each in enumerate(messages))
    nodes: list[Node] = []
    for id, before, each in zip(ids, [None, *ids], messages, strict=False):
        parent = text_in(each, "parent_message_uuid") if by_parents else before
        nodes.append(_node(each, id, parent, files))
    project = files.project(text_in(conversation, "project_uuid") or text_in(conversation.get("project"), "uuid"))
    leaf = text_in(conversation, "current_leaf_message_uuid") or (nodes[-1].id if nodes else None)
    fields = {
        "metadata": {
            "source": SOURCE,
            **{name: text for name in ("model", "project_uuid") if (text := text_in(conversation, name))},
            **({"project": project.name} if project and project.name else {}),
        },
        "system": project.instructions if project else "",
        "tags": ["starred"] if conversation.get("is_starred") is True else [],
        "created_at": time_in(conversation, "created_at"),
        "updated_at": time_in(conversation, "updated_at"),
    }
    name, uuid = text_in(conversation, "name"), text_in(conversation, "uuid")
    return line_of(SOURCE, uuid, name, tree_of(nodes, leaf), fields, form)


def _node(message: Object, id: str, parent: str | None, files: ForeignFiles) -> Node:
    role = ROLES.get(text_in(message, "sender"), "user")
    blocks = list(_asked(message, files) if role == "user" else _answered(message, files))
    stop_reason = text_in(message, "stop_reason")[:100] or None
    return Node(id, parent, role, blocks, time_in(message, "created_at"), stop_reason)


def _asked(message: Object, files: ForeignFiles) -> Iterator[Block]:
    """Yield the blocks of a user's message: files first, as Claude prefers."""
    for each in objects_in(message, "attachments"):
        name, text = text_in(each, "file_name"), text_in(each, "extracted_content")
        if text.strip():
            source: Block = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}}
            yield {**source, "title": name} if name else source
        else:
            yield files.block([text_in(each, "id"), name], name)
    shown = [*objects_in(message, "files"), *objects_in(message, "files_v2")]
    for uuid, name in {
        text_in(each, "file_uuid") or text_in(each, "file_name"): text_in(each, "file_name") for each in shown
    }.items():
        yield files.block([uuid, name], name)
    yield from _texts(message, files)


def _texts(message: Object, files: ForeignFiles) -> Iterator[Block]:
    said = [each for each in objects_in(message, "content") if text_in(each, "text").strip()]
    for text in [text_in(each, "text") for each in said] or [text_in(message, "text")]:
        if text.strip():
            yield {"type": "text", "text": text}


def _answered(message: Object, files: ForeignFiles) -> Iterator[Block]:
    """Yield the blocks of Claude's answer: text, thinking and tools."""
    blocks = [block for each in objects_in(message, "content") for block in _block(each, files)]
    yield from blocks or _texts(message, files)
    sources = {url for each in objects_in(message, "content") for url in _cited(each)}
    if sources:
        listed = "\n".join(f"- {url}" for url in sorted(sources))
        yield {"type": "text", "text": f"Sources:\n{listed}"}


def _cited(block: Object) -> Iterator[str]:
    for citation in objects_in(block, "citations"):
        if url := text_in(object_in(citation, "details"), "url"):
            yield url


def _block(block: Object, files: ForeignFiles) -> Iterator[Block]:
    match kind := text_in(block, "type"):
        case "text" | "voice_note" if text_in(block, "text").strip():
            yield {"type": "text", "text": text_in(block, "text")}
        case "thinking" if text_in(block, "thinking").strip():
            yield {"type": "thinking", "thinking": text_in(block, "thinking")}
        case "tool_use":
            yield _call(block)
        case "tool_result":
            yield {
                "type": "imported_tool_result",
                "tool_use_id": block_id(text_in(block, "tool_use_id")),
                "content": [{"type": "text", "text": _result(each)} for each in objects_in(block, "content")],
            }
        case "text" | "voice_note" | "thinking":
            pass
        case _ if kind not in SILENT:
            files.notes.append(f"A block of the kind {kind[:50]!r} is left out.")


def _result(part: Object) -> str:
    """Return the text of a part of a tool's result, or its title."""
    return text_in(part, "text") or " ".join(filter(None, (text_in(part, "title"), text_in(part, "url"))))


def _call(block: Object) -> Block:
    """Return the block of a tool call; an artifact becomes text, since it is a part of the answer."""
    name, given = text_in(block, "name"), object_in(block, "input")
    if name == "artifacts" and text_in(given, "content"):
        shown = fenced(text_in(given, "content"), text_in(given, "language"))
        return {"type": "text", "text": f"**{text_in(given, 'title') or 'Artifact'}**\n\n{shown}"}
    return {
        "type": "server_tool_use",
        "id": block_id(text_in(block, "id")),
        "name": block_id(name),
        "input": cast("JSONObject", dict(given)),
    }


def block_id(text: str) -> str:
    """Return an id or a name in the form of Claude's ids."""
    return NOT_FOR_IDS.sub("_", text)[:200] or "unknown"
