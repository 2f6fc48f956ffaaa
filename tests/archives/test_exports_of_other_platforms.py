"""Exports of claude.ai and ChatGPT become conversations with branches and files that can be continued."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.archives.importing import imported
from tests.archives.samples import claude_conversation, gpt_conversation, node, old_claude_conversation, said, zipped
from tests.clients import Api


def conversations(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("conversations/").json()["results"]
    return found


def path_of(api: Api, id: str) -> list[tuple[str, list[Any]]]:
    """Return the role of each message of a conversation, with the types and texts of its blocks."""
    found = api.get(f"conversations/{id}/messages/").json()["results"]
    return [(each["role"], [(block["type"], block.get("text")) for block in each["content"]]) for each in found]


def goes_on(api: Api, id: str) -> bool:
    return bool(api.ask("And now?", id)["status"] == "completed")


SEARCH = {
    "type": "tool_use",
    "id": "toolu_1",
    "name": "web search",
    "input": {"query": "tea"},
    "message": "Searching",
}
RESULT = {
    "type": "tool_result",
    "tool_use_id": "toolu_1",
    "name": "web search",
    "content": [{"type": "knowledge", "title": "Tea", "url": "https://example.com"}],
}
CITED = {
    "type": "text",
    "text": "Green.",
    "citations": [{"details": {"type": "web", "url": "https://example.com/tea"}}],
}
THINKING = {"type": "thinking", "thinking": "Hm.", "summaries": [], "cut_off": False}
NOTES = {"file_name": "notes.txt", "file_type": "txt", "file_size": 9, "extracted_content": "Tea notes"}
SHOWN = [{"file_uuid": "3e8a4a4e-1111", "file_name": "cup.png"}, {"file_name": "gone.png"}]
TALK = claude_conversation(
    "c-1",
    said("m1", None, "human", "What colour is tea?", attachments=[NOTES], files=SHOWN),
    said("m2", "m1", "assistant", THINKING, SEARCH, RESULT, CITED, {"type": "token_budget"}, {"type": "dream"}),
    said("m3", "m1", "assistant", "Black."),
    said("m4", "m2", "human", "Thanks\0"),
    said("m5", "m4", "assistant", "Welcome"),
    current_leaf_message_uuid="m5",
    is_starred=True,
)


def test_claude_branches_files_and_tools(api: Api, png: bytes) -> None:
    files = {
        "conversations.json": [TALK],
        "users.json": [{"uuid": "me"}],
        "projects.json": [],
        "3e8a4a4e-1111-cup.png": png,
    }
    done = imported(api, zipped(files))
    assert (done["source"], done["conversations"], done["messages"], done["failed"]) == ("claude.ai", 1, 5, 0)
    assert sorted(each["message"] for each in done["problems"]) == [
        "A block of the kind 'dream' is left out.",
        "The file gone.png is not in the archive; a text says so in its place.",
    ]
    [found] = conversations(api)
    assert (found["title"], found["tags"], found["created_at"]) == ("Tea", ["starred"], "2026-02-14T10:04:22.123456Z")
    question, answer, thanks, _ = path_of(api, found["id"])
    assert [kind for kind, _ in question[1]] == ["document", "image", "text", "text"]
    assert question[1][2] == ("text", "[File: gone.png, which is not in the archive]")
    assert [kind for kind, _ in answer[1]] == ["thinking", "server_tool_use", "imported_tool_result", "text", "text"]
    assert answer[1][-1] == ("text", "Sources:\n- https://example.com/tea")
    assert thanks == ("user", [("text", "Thanks")])
    assert api.get(f"conversations/{found['id']}/messages/").json()["results"][1]["siblings"] == 2
    assert goes_on(api, found["id"])


def test_claude_of_old_and_by_itself(api: Api) -> None:
    body = json.dumps([old_claude_conversation("old-1"), {"uuid": "empty", "name": "x", "chat_messages": []}]).encode()
    done = imported(api, b"\xef\xbb\xbf" + body, "application/json")
    assert (done["conversations"], done["messages"]) == (2, 4)
    [old] = [each for each in conversations(api) if each["active_leaf"]]
    assert [text for _, [(_, text)] in path_of(api, old["id"])] == [
        "What is tea?",
        "A drink.",
        "And coffee?",
        "Another.",
    ]
    assert goes_on(api, old["id"])


IMAGE = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_0000abcd", "width": 3, "height": 2}
NODES = [
    node("sys", "root", "system", "", metadata={"is_visually_hidden_from_conversation": True}),
    node(
        "about",
        "sys",
        "user",
        {"content_type": "user_editable_context", "user_profile": "I drink tea.", "user_instructions": "Be brief."},
    ),
    node(
        "q1",
        "about",
        "user",
        {"content_type": "multimodal_text", "parts": [IMAGE, "What is this?"]},
        metadata={"attachments": [{"id": "file_0000abcd", "name": "cup.png"}, {"id": "file-gone", "name": "gone.pdf"}]},
    ),
    node(
        "t1",
        "q1",
        "assistant",
        {"content_type": "thoughts", "thoughts": [{"summary": "Cup", "content": "It is a cup."}]},
    ),
    node("r1", "t1", "assistant", {"content_type": "reasoning_recap", "content": "Thought for 2 s"}),
    node(
        "s1",
        "r1",
        "assistant",
        {"content_type": "code", "language": "unknown", "text": 'search("cup")'},
        recipient="web.search",
    ),
    node(
        "s2",
        "s1",
        "tool",
        {"content_type": "tether_quote", "url": "https://example.com", "text": "Cups are."},
        name="web.search",
    ),
    node(
        "c1", "s2", "assistant", {"content_type": "code", "language": "python", "text": "print(1)"}, recipient="python"
    ),
    node("c2", "c1", "tool", {"content_type": "execution_output", "text": "1"}, name="python"),
    node(
        "a1",
        "c2",
        "assistant",
        "A cup \ue200cite\ue202turn0search0\ue201.",
        metadata={"model_slug": "gpt-5", "content_references": [{"url": "https://example.com/cup"}]},
    ),
    node("q2", "a1", "user", "Draw it"),
    node("q2b", "a1", "user", "Paint it"),
    node(
        "d1",
        "q2",
        "tool",
        {"content_type": "multimodal_text", "parts": [{**IMAGE, "metadata": {"dalle": {"prompt": "a cup"}}}]},
        name="dalle.text2im",
    ),
    node(
        "v1",
        "d1",
        "assistant",
        {
            "content_type": "multimodal_text",
            "parts": [
                {"content_type": "audio_transcription", "text": "Here you are."},
                {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://file_1"},
            ],
        },
    ),
    node("e1", "v1", "assistant", {"content_type": "text", "parts": [""]}),
]


def test_chatgpt_trees_tools_and_images(api: Api, png: bytes) -> None:
    talk = gpt_conversation("g-1", *NODES, leaf="e1", is_archived=False, default_model_slug="gpt-5")
    done = imported(
        api,
        zipped(
            {
                "conversations-000.json": [talk],
                "conversations-001.json": [],
                "file_0000abcd-sanitized.png": png,
                "chat.html": "<html>",
                "user.json": {},
            }
        ),
    )
    assert (done["source"], done["conversations"], done["failed"]) == ("chatgpt", 1, 0)
    assert [each["message"] for each in done["problems"]] == [
        "The file gone.pdf is not in the archive; a text says so in its place."
    ]
    [found] = conversations(api)
    assert (found["title"], found["system"]) == ("Coffee", "I drink tea.\n\nBe brief.")
    assert found["metadata"] == {"source": "chatgpt", "model": "gpt-5"}
    path = path_of(api, found["id"])
    assert [role for role, _ in path] == ["user", *["assistant"] * 6, "user", "user", "assistant"]
    assert [kind for _, blocks in path for kind, _ in blocks] == [
        *("image", "text", "text", "thinking", "server_tool_use", "imported_tool_result", "text", "text"),
        *("text", "text", "text", "text", "image", "text"),
    ]
    texts = [text for _, blocks in path for kind, text in blocks if kind == "text"]
    assert "```python\nprint(1)\n```" in texts
    assert "Output:\n\n```\n1\n```" in texts
    assert "A cup ." in texts
    assert texts[-1] == "Here you are."
    assert api.get(f"conversations/{found['id']}/messages/").json()["results"][7]["siblings"] == 2
    assert goes_on(api, found["id"])


def test_a_conversation_that_grew_is_extended_and_what_was_said_here_stays(api: Api) -> None:
    first = [said("a", None, "human", "One"), said("b", "a", "assistant", "Two")]
    imported(api, zipped({"conversations.json": [claude_conversation("c", *first), claude_conversation("d", *first)]}))
    grown, other = (each["id"] for each in sorted(conversations(api), key=lambda each: each["id"]))
    api.ask("Here", other)
    more = [*first, said("c", "b", "human", "Three"), said("d", "c", "assistant", "Four")]
    again = zipped({"conversations.json": [claude_conversation("c", *more), claude_conversation("d", *more)]})
    done = imported(api, again)
    assert (done["conversations"], done["messages"], done["skipped"]) == (2, 4, 0)
    assert [text for _, [(_, text)] in path_of(api, grown)] == ["One", "Two", "Three", "Four"]
    assert len(api.get(f"conversations/{other}/tree/").json()["results"]) == 6
    assert path_of(api, other)[2] == ("user", [("text", "Here")])
    assert imported(api, again)["skipped"] == 2


@pytest.mark.parametrize("cut", ["title", "text"])
def test_characters_that_were_cut_in_two_are_replaced(api: Api, cut: str) -> None:
    texts = {"title": "Tea", "text": "Cup", cut: "\\ud83d\\ude00 \\ud83d"}
    body = json.dumps([claude_conversation("c", said("a", None, "human", "TEXT"), name="TITLE")])
    body = body.replace("TITLE", texts["title"]).replace("TEXT", texts["text"])
    assert imported(api, body.encode(), "application/json")["failed"] == 0
    [found] = conversations(api)
    assert "\U0001f600 \ufffd" in (found["title"], path_of(api, found["id"])[0][1][0][1])


AROUND = [said("m1", "m2", "human", "What?"), said("m2", "m1", "assistant", "That."), said("m3", "m2", "human", "Why?")]
TWICE = [
    {**said("m1", None, sender, text), "parent_message_uuid": None} for sender, text in (("human", "A"), ("human", "B"))
]


@pytest.mark.parametrize(("messages", "texts"), [(AROUND, ["What?", "That.", "Why?"]), (TWICE, ["A", "B"])])
def test_messages_in_a_circle_or_of_one_id_are_all_there(api: Api, messages: list[Any], texts: list[str]) -> None:
    done = imported(api, zipped({"conversations.json": [claude_conversation("c-1", *messages)]}))
    assert (done["messages"], done["failed"]) == (len(texts), 0)
    [found] = conversations(api)
    assert [text for _, blocks in path_of(api, found["id"]) for _, text in blocks] == texts
    assert goes_on(api, found["id"])


def test_a_message_of_an_unknown_role_is_told_to_be_left_out(api: Api) -> None:
    asked, odd = node("a", "root", "user", "What?"), node("b", "a", "critic", "Bad question.")
    done = imported(api, zipped({"conversations.json": [gpt_conversation("c-1", asked, odd)]}))
    assert (done["messages"], done["failed"]) == (1, 0)
    assert [each["message"] for each in done["problems"]] == ["A message of the role 'critic' is left out."]
