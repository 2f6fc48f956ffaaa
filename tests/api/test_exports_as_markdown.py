"""A Markdown export is readable, each kind of block in its own way; a JSON export can be imported again."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.serializers import ValidationError

from conversations.api.transfer_formats import Base64, ExportSerializer, MarkdownRenderer, as_json, as_markdown
from conversations.models import Conversation, Message

LINK = {"type": "url", "url": "https://example.com/a.png"}
BLOCKS: dict[str, tuple[Any, str]] = {
    "text": ({"type": "text", "text": "Hello\n\n*you*"}, "Hello\n\n*you*"),
    "no text": ({"type": "text"}, ""),
    "thinking": ({"type": "thinking", "thinking": "One\nTwo", "signature": "s"}, "> One\n> Two"),
    "an address": ({"type": "image", "source": LINK}, "*[image: https://example.com/a.png]*"),
    "a type": ({"type": "image", "source": {"type": "base64", "media_type": "image/png"}}, "*[image: image/png]*"),
    "a kind": ({"type": "document", "source": {"type": "content", "content": []}}, "*[document: content]*"),
    "no source": ({"type": "document"}, "*[document: None]*"),
    "a call": (
        {"type": "tool_use", "id": "t", "input": {"at": "Köln"}},
        '```json\n{\n  "type": "tool_use",\n  "id": "t",\n  "input": {\n    "at": "Köln"\n  }\n}\n```',
    ),
    "of tomorrow": ({"type": "hologram"}, '```json\n{\n  "type": "hologram"\n}\n```'),
}


@pytest.mark.parametrize(("block", "written"), BLOCKS.values(), ids=BLOCKS)
def test_a_block_is_written(block: Any, written: str) -> None:
    said = Message(role="assistant", content=[block])
    assert as_markdown(Conversation(title="T"), [said]) == f"# T\n\n## Claude\n\n{written}\n"


def test_messages_are_told_apart_by_who_said_them() -> None:
    path = [
        Message(role="user", content=[{"type": "text", "text": "Hello"}, {"type": "text", "text": "again"}]),
        Message(role="assistant", content=[{"type": "text", "text": "Hi"}]),
    ]
    expected = "# Conversation\n\n## User\n\nHello\n\nagain\n\n## Claude\n\nHi\n"
    assert as_markdown(Conversation(title=""), path) == expected


def test_text_is_sent_as_it_is_and_an_error_as_json() -> None:
    assert MarkdownRenderer().render("# T\n") == "# T\n"
    assert MarkdownRenderer().render({"type": "error"}) == '{"type": "error"}'


@pytest.mark.parametrize(
    ("text", "taken"), [("aGVsbG8=", True), ("aGVsbG8", False), ("aGVs bG8=", False), ("ä", False)]
)
def test_a_file_in_an_export_is_base64(text: str, taken: bool) -> None:
    if taken:
        assert Base64().run_validation(text) == text
        return
    with pytest.raises(ValidationError):
        Base64().run_validation(text)


EXPORT: dict[str, Any] = {
    "format": "colloquy/1",
    "conversation": {"title": "T", "model": "claude-sonnet-4-6", "metadata": {"a": [1]}, "tags": ["x"]},
    "active_leaf": "m1",
    "messages": [
        {
            "id": "m1",
            "parent": None,
            "role": "user",
            "content": [{"type": "text", "text": "Hello"}],
            "stop_reason": None,
            "created_at": None,
            "feedback": None,
        }
    ],
    "attachments": {"a": {"media_type": "image/png", "data": "aGVsbG8="}},
}


def test_what_is_exported_is_taken_in_again() -> None:
    serializer = ExportSerializer(data=EXPORT)
    assert serializer.is_valid(), serializer.errors
    assert as_json(serializer.export()) == EXPORT


WRONG: list[tuple[str, Any]] = [
    ("format", "colloquy/2"),
    ("surprise", 1),
    ("messages", {}),
    ("active_leaf", 5),
    ("attachments", []),
    ("attachments.a.data", "!"),
    ("attachments.a.media_type", "m" * 101),
    ("conversation.title", "t" * 501),
    ("conversation.metadata", []),
    ("messages.0.role", "system"),
    ("messages.0.content", "Hello"),
    ("messages.0.content", ["Hello"]),
    ("messages.0.id", "i" * 101),
    ("messages.0.stop_reason", "s" * 101),
    ("messages.0.created_at", "yesterday"),
    ("messages.0.feedback", {"rating": 5, "comment": ""}),
]


def changed(inside: Any, path: list[str], value: Any) -> Any:
    """Return a copy of a JSON value with the value at `path` replaced."""
    if not path:
        return value
    first, *rest = path
    if isinstance(inside, list):
        return [changed(each, rest, value) if str(at) == first else each for at, each in enumerate(inside)]
    return {**inside, first: changed(inside.get(first), rest, value)}


@pytest.mark.parametrize(("path", "value"), WRONG, ids=[f"{path} {str(value)[:12]}" for path, value in WRONG])
def test_what_no_export_has_is_refused_where_it_is(path: str, value: Any) -> None:
    serializer = ExportSerializer(data=changed(EXPORT, path.split("."), value))
    assert not serializer.is_valid()
    assert list(serializer.errors) == [path.split(".")[0]]
