"""Helpers for converting a conversation of another platform into a line of our archives, without a database."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from conversations.archives import chatgpt, claude_ai
from conversations.archives.foreign_files import ForeignFiles
from conversations.archives.parts import Importing
from conversations.archives.zip_file import Archive
from conversations.models import ArchiveImport
from tests.archives.samples import claude_conversation, gpt_conversation, node, said, zipped

Converted = tuple[dict[str, Any], list[str]]


def importing(source: str, files: Mapping[str, Any]) -> Importing:
    """Return an import of an archive that has these files besides its conversations."""
    return Importing(ArchiveImport(source=source), Archive(io.BytesIO(zipped({"conversations.json": [], **files}))))


def of_claude(conversation: dict[str, Any], files: Mapping[str, Any] | None = None) -> Converted:
    """Convert a conversation of claude.ai; return its line, and the notes on what is left out."""
    found = ForeignFiles(importing("claude.ai", files or {}))
    line: dict[str, Any] = claude_ai.convert(conversation, "colloquy/1", found)
    return line, found.notes


def of_chatgpt(conversation: dict[str, Any]) -> Converted:
    """Convert a conversation of ChatGPT; return its line, and the notes on what is left out."""
    found = ForeignFiles(importing("chatgpt", {}))
    line: dict[str, Any] = chatgpt.convert(conversation, "colloquy/1", found)
    return line, found.notes


def claude_answer(*content: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Convert an answer of claude.ai with such content; return its blocks and the notes."""
    line, notes = of_claude(
        claude_conversation("c", said("q", None, "human", "Hi"), said("a", "q", "assistant", *content))
    )
    return (line["messages"][1]["content"] if len(line["messages"]) > 1 else []), notes


def gpt_answer(content: Any, role: str = "assistant", **more: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Convert a message of ChatGPT with such content; return its blocks and the notes."""
    line, notes = of_chatgpt(
        gpt_conversation("g", node("q", "root", "user", "Hi"), node("a", "q", role, content, **more))
    )
    return (line["messages"][1]["content"] if len(line["messages"]) > 1 else []), notes
