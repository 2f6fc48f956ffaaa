"""Archives made for tests: exports of claude.ai and of ChatGPT in several of their shapes, and hostile ones."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

ROOT = "00000000-0000-4000-8000-000000000000"


def zipped(files: Mapping[str, Any], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP archive; contents that are neither bytes nor text are written as JSON."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes | str) else json.dumps(content))
    return data.getvalue()


def said(id: str, parent: str | None, sender: str, *content: Any, **more: Any) -> dict[str, Any]:
    """Return a message of claude.ai in the format of its exports since 2025."""
    blocks = [{"type": "text", "text": each, "citations": []} if isinstance(each, str) else each for each in content]
    text = "\n".join(str(block.get("text", "")) for block in blocks)
    times = {"created_at": "2026-02-14T10:04:22.123456Z", "updated_at": "2026-02-14T10:04:22.123456Z"}
    message = {"uuid": id, "text": text, "content": blocks, "sender": sender, "attachments": [], "files": []}
    return {**message, **times, "parent_message_uuid": parent or ROOT, **more}


def claude_conversation(id: str, *messages: dict[str, Any], name: str = "Tea", **more: Any) -> dict[str, Any]:
    times = {"created_at": "2026-02-14T10:04:22.123456Z", "updated_at": "2026-02-15T10:04:22.123456Z"}
    return {
        "uuid": id,
        "name": name,
        "summary": "",
        **times,
        "account": {"uuid": "me"},
        "chat_messages": [*messages],
        **more,
    }


def old_claude_conversation(id: str) -> dict[str, Any]:
    """Return a conversation of claude.ai in the format of 2023: a list of plain texts."""
    texts = [("human", "What is tea?"), ("assistant", "A drink."), ("human", "And coffee?"), ("assistant", "Another.")]
    messages = [
        {"uuid": f"{id}-{at}", "text": text, "sender": sender, "attachments": [], "created_at": "2023-07-01T08:00:00Z"}
        for at, (sender, text) in enumerate(texts)
    ]
    return {"uuid": id, "name": "", "created_at": "2023-07-01T08:00:00Z", "chat_messages": messages}


def node(id: str, parent: str | None, role: str, content: Any, **more: Any) -> tuple[str, dict[str, Any]]:
    """Return a node of ChatGPT's `mapping`; a string as content stands for the usual text content."""
    if isinstance(content, str):
        content = {"content_type": "text", "parts": [content]}
    author = {"role": role, "name": more.pop("name", None), "metadata": {}}
    message = {
        "id": id,
        "author": author,
        "create_time": 1704067200.25,
        "content": content,
        "status": "finished_successfully",
    }
    message |= {"recipient": "all", "weight": 1.0, "metadata": {}, **more}
    return id, {"id": id, "parent": parent, "children": [], "message": message}


def gpt_conversation(
    id: str, *nodes: tuple[str, dict[str, Any]], leaf: str | None = None, **more: Any
) -> dict[str, Any]:
    """Return a conversation of ChatGPT, below an empty root node."""
    root = {"id": "root", "parent": None, "children": [nodes[0][0]], "message": None}
    mapping = {"root": root, **dict(nodes)}
    facts = {"title": "Coffee", "create_time": 1704067100.5, "update_time": 1704067300.5}
    return {**facts, "mapping": mapping, "current_node": leaf or nodes[-1][0], "conversation_id": id, "id": id, **more}
