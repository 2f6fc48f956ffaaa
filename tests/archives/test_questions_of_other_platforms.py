"""Imports keep what other platforms know of a conversation: tags, instructions and the texts of files."""

from __future__ import annotations

from typing import Any

import pytest

from tests.archives.converting import of_chatgpt, of_claude
from tests.archives.samples import claude_conversation, gpt_conversation, node, said

HELLO = node("q", "root", "user", "Hello")
CONTEXT = {"content_type": "user_editable_context", "user_profile": " I drink tea. ", "user_instructions": ""}


def of_gpt(*nodes: Any, **more: Any) -> dict[str, Any]:
    line, _ = of_chatgpt(gpt_conversation("g", *nodes, **more))
    fields: dict[str, Any] = line["conversation"]
    return fields


@pytest.mark.parametrize(("starred", "tags"), [(True, ["starred"]), (False, None), ("true", None), (None, None)])
def test_a_star_is_a_tag(starred: object, tags: list[str] | None) -> None:
    assert of_gpt(HELLO, is_starred=starred).get("tags") == tags
    line, _ = of_claude(claude_conversation("c", said("a", None, "human", "Hello"), is_starred=starred))
    assert line["conversation"].get("tags") == tags


def test_chatgpt_says_what_is_archived_and_which_model_answered() -> None:
    answered = node("a", "q", "assistant", "Hi", metadata={"model_slug": "gpt-5"})
    found = of_gpt(HELLO, answered, is_archived=True, gizmo_id="g-7")
    assert found["archived"] is True
    assert found["metadata"] == {"source": "chatgpt", "model": "gpt-5", "gizmo": "g-7"}
    assert of_gpt(HELLO, answered, default_model_slug="gpt-6")["metadata"]["model"] == "gpt-6"
    assert "archived" not in of_gpt(HELLO, is_archived=False)


def test_what_chatgpt_was_told_of_its_user_is_the_system_prompt_and_no_message() -> None:
    line, _ = of_chatgpt(gpt_conversation("g", node("c", "root", "user", CONTEXT), node("q", "c", "user", "Hello")))
    assert line["conversation"]["system"] == "I drink tea."
    assert [each["id"] for each in line["messages"]] == ["q"]


def blocks_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    line, _ = of_claude(claude_conversation("c", message))
    blocks: list[dict[str, Any]] = line["messages"][0]["content"] if line["messages"] else []
    return blocks


TEXT = {"type": "text", "media_type": "text/plain", "data": "Tea notes"}


@pytest.mark.parametrize(
    ("attached", "block"),
    [
        (
            {"file_name": "a.txt", "extracted_content": "Tea notes"},
            {"type": "document", "source": TEXT, "title": "a.txt"},
        ),
        ({"extracted_content": "Tea notes"}, {"type": "document", "source": TEXT}),
        (
            {"file_name": "a.txt", "extracted_content": " "},
            {"type": "text", "text": "[File: a.txt, which is not in the archive]"},
        ),
        ({}, {"type": "text", "text": "[File: without a name, which is not in the archive]"}),
    ],
)
def test_the_text_of_a_file_is_a_document_before_the_question(attached: Any, block: Any) -> None:
    found = blocks_of(said("a", None, "human", "What is it?", attachments=[attached]))
    assert found == [block, {"type": "text", "text": "What is it?"}]


def test_a_file_that_is_named_twice_is_there_once() -> None:
    file = {"file_uuid": "3e8a4a4e", "file_name": "cup.png"}
    found = blocks_of(said("a", None, "human", "Hm", files=[file], files_v2=[file]))
    assert [each["text"] for each in found] == ["[File: cup.png, which is not in the archive]", "Hm"]


def test_what_is_empty_says_nothing() -> None:
    assert blocks_of(said("a", None, "human", " \n", "Hello")) == [{"type": "text", "text": "Hello"}]
    assert blocks_of({**said("a", None, "human", " "), "text": "Hello"}) == [{"type": "text", "text": "Hello"}]
    assert blocks_of(said("a", None, "human", " ")) == []
