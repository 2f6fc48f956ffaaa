"""Every kind of block, and an unknown one, is stored, streamed, listed and sent again unchanged, key by key."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from conversations.content.folding import fold
from conversations.models import Message
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.files import pdf

Block = Any

PDF = pdf("A page")
CITED = {
    "type": "web_search_result_location",
    "url": "https://example.com/",
    "title": "Example",
    "encrypted_index": "abc",
    "cited_text": "an example",
}
SAID = {"type": "text", "text": "That is it."}


def call(name: str, id: str, **given: Any) -> Block:
    return {"type": "server_tool_use", "id": id, "name": name, "input": given}


def fetched() -> Block:
    source = {"type": "text", "media_type": "text/plain", "data": "A page"}
    document = {"type": "document", "source": source, "title": "A page", "citations": {"enabled": True}}
    page = {
        "type": "web_fetch_result",
        "url": "https://example.com/",
        "content": document,
        "retrieved_at": "2026-11-01",
    }
    return {"type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_2", "content": page}


def ran(kind: str, **result: Any) -> Block:
    return {"type": f"{kind}_tool_result", "tool_use_id": "srvtoolu_3", "content": {"type": f"{kind}_result", **result}}


ANSWERS: dict[str, list[Block]] = {
    "text": [SAID],
    "text with citations": [{"type": "text", "text": "As it says.", "citations": [CITED]}],
    "thinking": [{"type": "thinking", "thinking": "Let me see.", "signature": "EqQBCg"}, SAID],
    "omitted thinking": [{"type": "thinking", "thinking": "", "signature": "EqQBCg"}, SAID],
    "redacted thinking": [{"type": "redacted_thinking", "data": "EmwKAhgB"}, SAID],
    "a tool's call": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"z": 1, "a": [2.5, None, "ü"]}}],
    "web search": [
        call("web_search", "srvtoolu_1", query="tea"),
        {
            "type": "web_search_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": [
                {
                    "type": "web_search_result",
                    "url": "https://a.b/",
                    "title": "T",
                    "encrypted_content": "e",
                    "page_age": None,
                }
            ],
        },
        SAID,
    ],
    "web search that failed": [
        call("web_search", "srvtoolu_1", query="tea"),
        {
            "type": "web_search_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
        },
        SAID,
    ],
    "web fetch": [call("web_fetch", "srvtoolu_2", url="https://example.com/"), fetched(), SAID],
    "code execution": [
        call("bash_code_execution", "srvtoolu_3", command="ls"),
        ran("bash_code_execution", stdout="a\n", stderr="", return_code=0, content=[]),
        SAID,
    ],
    "an unknown kind": [{"type": "sandbox_hologram", "shape": "sphere", "zeta": 1, "alpha": {"b": 1, "a": 2}}, SAID],
}


def asked(sandbox: Sandbox, system: str) -> list[Any]:
    """Return the messages of the newest request with this system prompt."""
    bodies = [each.body for each in list(sandbox.requests) if isinstance(each.body, dict)]
    found: list[Any] = [body for body in bodies if body.get("system") == system][-1]["messages"]
    return found


def exactly(blocks: Any) -> str:
    """Encode blocks as JSON, to compare them with the order of their keys."""
    return json.dumps(blocks)


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_claude_says(api: Api, sandbox: Sandbox, kind: str) -> None:
    blocks = ANSWERS[kind]
    conversation = api.conversation(system=kind, tools=[{"name": "look", "input_schema": {"type": "object"}}])
    turn = api.ask(f"Say it [[sandbox: content={json.dumps(blocks)}; stop_reason=end_turn]]", conversation)
    assert exactly(turn["messages"][0]["content"]) == exactly(blocks)
    assert exactly(Message.objects.get(pk=turn["messages"][0]["id"]).content) == exactly(blocks)
    assert exactly(fold(api.events(turn["id"]))[0].content) == exactly(blocks)
    with api.socket() as socket:
        socket.send(type="turn.follow", ref=1, turn=turn["id"], after=0)
        assert exactly(fold(socket.until("turn_end"))[0].content) == exactly(blocks)
    listed = api.get(f"conversations/{conversation}/messages/").json()["results"]
    assert exactly(listed[1]["content"]) == exactly(blocks)
    api.ask("And?", conversation)
    assert exactly(asked(sandbox, kind)[1]["content"]) == exactly(blocks)


def encoded(media_type: str, data: bytes) -> Block:
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), "blue").save(buffer, "PNG")
    return buffer.getvalue()


LINK = {"type": "url", "url": "https://example.com/it"}
WORDS = {"type": "text", "media_type": "text/plain", "data": "Some words"}
PAGES = {"type": "content", "content": [{"type": "text", "text": "A page"}]}
QUESTIONS: dict[str, Block] = {
    "text": {"type": "text", "text": "Hello"},
    "text that is marked": {"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}},
    "image, base64": {"type": "image", "source": encoded("image/png", picture())},
    "image, url": {"type": "image", "source": LINK},
    "PDF, base64": {"type": "document", "source": encoded("application/pdf", PDF)},
    "PDF, url": {"type": "document", "source": LINK, "title": "It"},
    "text document": {"type": "document", "source": WORDS, "citations": {"enabled": True}, "context": "Why"},
    "document of blocks": {"type": "document", "source": PAGES, "citations": {"enabled": True}},
    "search result": {
        "type": "search_result",
        "source": "https://example.com/",
        "title": "It",
        "content": [{"type": "text", "text": "A hit"}],
        "citations": {"enabled": True},
    },
}


@pytest.mark.parametrize("kind", QUESTIONS)
def test_what_a_user_says(api: Api, sandbox: Sandbox, kind: str) -> None:
    block = QUESTIONS[kind]
    conversation = api.conversation(system=f"user {kind}")
    api.ask([block], conversation)
    listed = api.get(f"conversations/{conversation}/messages/").json()["results"][0]["content"][0]
    if "base64" in kind:
        source = listed["source"]
        assert (source["type"], source["media_type"]) == ("attachment", block["source"]["media_type"])
        assert api.http.get(source["url"]).content == base64.b64decode(block["source"]["data"])
    else:
        assert exactly(listed) == exactly(block)
    api.ask([listed], conversation)  # as it came back from us
    first, *_, last = asked(sandbox, f"user {kind}")
    assert exactly(first["content"]) == exactly(last["content"]) == exactly([block])


def test_what_a_clients_tool_gives(api: Api, sandbox: Sandbox) -> None:
    conversation = api.conversation(system="tools", tools=[{"name": "look", "input_schema": {"type": "object"}}])
    turn = api.ask("Look [[sandbox: tool=look]]", conversation)
    (block,) = (each for each in turn["messages"][0]["content"] if each["type"] == "tool_use")
    content = [
        {"type": "text", "text": "This"},
        {"type": "image", "source": encoded("image/png", picture())},
        {"type": "tool_reference", "tool_name": "look"},
    ]
    results = [{"tool_use_id": block["id"], "content": content, "is_error": False}]
    api.post(f"turns/{turn['id']}/tool-results/", {"results": results})
    ended = api.ended(turn["id"])
    kept = ended["messages"][1]["content"][0]["content"]
    assert (kept[0], kept[1]["source"]["type"]) == (content[0], "attachment")
    [event] = [each for each in api.events(turn["id"]) if each["type"] == "tool_result"]
    assert event["content"][1]["source"]["type"] == "attachment"
    assert exactly(asked(sandbox, "tools")[-1]["content"][0]["content"]) == exactly(content)


def test_a_member_of_a_toolset_hears_again_which_one_it_is_of(api: Api, sandbox: Sandbox) -> None:
    given = {"type": "tool_use", "id": "toolu_9", "name": "zoom", "input": {}, "toolset_name": "computer_toolset"}
    blocks = [given, {**given, "id": "toolu_10"}]
    conversation = api.conversation(system="toolset", tools=[{"type": "computer_toolset_20260801"}])
    content = json.dumps(blocks)
    turn = api.ask(f"Zoom [[sandbox: content={content}; stop_reason=tool_use; then; text=Seen]]", conversation)
    results = [{"tool_use_id": "toolu_9", "content": "a wall"}]
    assert api.post(f"turns/{turn['id']}/tool-results/", {"results": results}).status_code == 202
    api.post(f"turns/{turn['id']}/cancel/")
    assert api.ask("And now?", conversation)["status"] == "completed"
    ours = asked(sandbox, "toolset")[-1]["content"][:2]
    assert [each["toolset_name"] for each in ours] == ["computer_toolset"] * 2
    assert [each["is_error"] for each in ours] == [False, True]


def test_documents_are_all_cited_or_none_as_the_first_one_is(api: Api, sandbox: Sandbox) -> None:
    """Claude refuses requests with and without citations mixed, and would refuse the conversation from there on."""
    source = {"type": "text", "media_type": "text/plain", "data": "Tea is a plant."}
    plain, cited = ({"type": "document", "source": source, **more} for more in ({}, {"citations": {"enabled": True}}))
    for number, (first, then) in enumerate([(cited, plain), (plain, cited)]):
        conversation = api.conversation(system=f"citations {number}")
        api.ask([first], conversation)
        api.ask([then], conversation)
        shown = [
            message["content"][0] for message in asked(sandbox, f"citations {number}") if message["role"] == "user"
        ]
        assert shown[0] == first
        assert all(bool(each.get("citations", {}).get("enabled")) == (first is cited) for each in shown)
        kept = api.get(f"conversations/{conversation}/messages/").json()["results"][2]["content"]
        assert kept == [then]
