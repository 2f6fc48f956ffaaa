"""A conversation can be forked, exported and imported again without loss."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from conversations.models import Attachment
from tests.clients import Api
from tests.scripted import START, end, text, wire


@pytest.fixture
def conversation(api: Api, png: bytes) -> str:
    """Provide a conversation with an image, thinking, an open tool call, and two branches."""
    id = api.conversation(title="Tea", system="Be brief.", metadata={"b": 1, "a": 2}, max_tokens=2000)
    image = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    api.ask([{"type": "text", "text": "What is this?"}, {"type": "image", "source": image}], id)
    answer = messages(api, id)[-1]["id"]
    api.ask("One way", id, thinking={"type": "enabled", "budget_tokens": 1024})
    api.ask("Another way", id, parent=answer)
    return id


def messages(api: Api, id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"conversations/{id}/messages/").json()["results"]
    return found


def tree(api: Api, id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"conversations/{id}/tree/").json()["results"]
    return found


def said(api: Api, id: str) -> list[Any]:
    return [(message["role"], message["content"], message["stop_reason"]) for message in messages(api, id)]


def shape(nodes: list[dict[str, Any]]) -> list[Any]:
    """Return the tree of messages without their ids."""
    numbers = {node["id"]: number for number, node in enumerate(nodes)}
    return [(numbers.get(node["parent"]), node["role"], node["created_at"]) for node in nodes]


def test_a_fork_has_the_path_and_goes_on_by_itself(api: Api, conversation: str) -> None:
    path = messages(api, conversation)
    response = api.post(f"conversations/{conversation}/fork/", {"message": path[1]["id"]})
    assert response.status_code == 201
    forked = response.json()["id"]
    assert said(api, forked) == said(api, conversation)[:2]
    assert response.json()["system"] == "Be brief."
    assert api.ask("And now?", forked)["status"] == "completed"
    assert len(messages(api, forked)) == 4
    assert messages(api, conversation) == path


def test_an_image_is_shared_and_stays_when_the_first_conversation_goes(api: Api, conversation: str) -> None:
    leaf = messages(api, conversation)[-1]["id"]
    forked = api.post(f"conversations/{conversation}/fork/", {"message": leaf}).json()["id"]
    assert Attachment.objects.filter(owner=api.user).count() == 1
    api.http.delete(f"/api/conversations/{conversation}/")
    url = messages(api, forked)[0]["content"][1]["source"]["url"]
    assert api.http.get(url).status_code == 200
    assert api.ask("What was it?", forked)["status"] == "completed"


def test_what_is_exported_can_be_taken_in_by_somebody_else(api: Api, other: Api, conversation: str) -> None:
    exported = api.get(f"conversations/{conversation}/export/").json()
    response = other.post("conversations/import/", exported)
    assert response.status_code == 201, response.text
    taken = response.json()
    assert (taken["title"], taken["system"], list(taken["metadata"])) == ("Tea", "Be brief.", ["b", "a"])
    assert shape(tree(other, taken["id"])) == shape(tree(api, conversation))
    again = other.get(f"conversations/{taken['id']}/export/").json()
    assert [without_ids(message) for message in again["messages"]] == [
        without_ids(message) for message in exported["messages"]
    ]
    assert other.ask("Go on", taken["id"])["status"] == "completed"


@pytest.mark.parametrize(
    "answer",
    [
        'text="nothing\\u0000"',
        'tool=look{"n": 123456789012345678901234567890, "s": "\\u0000"}',
        f"raw={json.dumps([wire(START, *text('no reason'), *end(''))])}",
        'text="white space"; stop_reason=" tired "',
    ],
)
def test_whatever_claude_has_said_can_be_taken_in(api: Api, answer: str) -> None:
    """Users' content may have no NUL and no huge integers; Claude's may."""
    id = api.conversation(tools=[{"name": "look", "input_schema": {"type": "object"}}])
    turn = api.ask(f"[[sandbox: {answer}]]", id)
    api.post(f"turns/{turn['id']}/cancel/")
    response = api.post("conversations/import/", api.get(f"conversations/{id}/export/").json())
    assert response.status_code == 201, response.text
    taken = response.json()["id"]
    assert said(api, taken) == said(api, id)
    assert api.ask("And now?", taken)["status"] == "completed"


def test_a_copied_answer_that_went_on_from_another_is_regenerated_from_its_question(api: Api) -> None:
    original = api.conversation(model="claude-haiku-4-5", max_tokens=20)
    cut = api.ask("[[sandbox: words=60]]", original)
    assert api.post(f"turns/{cut['id']}/continue/?wait=true", {"max_tokens": 900}).status_code == 201
    leaf = messages(api, original)[-1]["id"]
    forked = api.post(f"conversations/{original}/fork/", {"message": leaf}).json()["id"]
    copied = [message["id"] for message in messages(api, forked)]
    body = {"regenerate": copied[-1], "model": "claude-sonnet-4-6", "max_tokens": 900}
    response = api.post(f"conversations/{forked}/turns/?wait=true", body)
    assert response.status_code == 201, response.text
    assert [message["id"] for message in messages(api, forked)][:-1] == copied[:1]


def without_ids(message: dict[str, Any]) -> dict[str, Any]:
    content = [
        {**block, "source": "…"} if block.get("source", {}).get("type") == "attachment" else block
        for block in message["content"]
    ]
    return {"role": message["role"], "content": content, "created_at": message["created_at"]}


def test_markdown_can_be_read(api: Api, conversation: str) -> None:
    response = api.get(f"conversations/{conversation}/export/", headers={"Accept": "text/markdown"})
    assert response.headers["content-type"].startswith("text/markdown")
    assert response.text.startswith("# Tea\n\n## User\n\nWhat is this?\n\n*[image: image/png]*\n\n## Claude\n")
    assert "Another way" in response.text
    assert "One way" not in response.text


ROOT = {"id": "a", "parent": None, "role": "user", "content": [{"type": "text", "text": "Hello"}]}


def answer(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [ROOT, {"id": "b", "parent": "a", "role": "assistant", "content": blocks}]}


BROKEN: dict[str, Any] = {
    "an unknown field": {"more": 1},
    "another format": {"format": "something/9"},
    "a parent that comes later": {"messages": [{"id": "a", "parent": "b", "role": "user", "content": []}]},
    "an id twice": {"messages": [{"id": "a", "parent": None, "role": "user", "content": []}] * 2},
    "a leaf that is not there": {"active_leaf": "x"},
    "a block without a type": {"messages": [{"id": "a", "parent": None, "role": "assistant", "content": [{}]}]},
    "something that is no block": {"messages": [{"id": "a", "parent": None, "role": "assistant", "content": ["x"]}]},
    "an answer to nothing": {"messages": [ROOT | {"role": "assistant"}]},
    "a beginning that says nothing": {"messages": [ROOT | {"content": []}]},
    "a beginning with a tool's result": {
        "messages": [ROOT | {"content": [{"type": "tool_result", "tool_use_id": "x"}]}]
    },
    "an answer with an image": answer({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}),
    "an answer with a document": answer({"type": "document", "source": {"type": "attachment", "attachment": "x"}}),
    "an answer with a tool's result": answer({"type": "tool_result", "tool_use_id": "x", "content": "y"}),
    "text that is a number": answer({"type": "text", "text": 5}),
    "a block that is nested too deep": answer({"type": "sandbox_x", "x": json.loads("[" * 200 + "]" * 200)}),
    "a call without an id": answer({"type": "tool_use", "name": "look", "input": {}}),
    "a call without an input": answer({"type": "server_tool_use", "id": "x", "name": "web_search", "input": "tea"}),
    "two calls with one id": answer(*[{"type": "tool_use", "id": "x", "name": "look", "input": {}}] * 2),
    "an attachment that is missing": {
        "messages": [
            {
                "id": "a",
                "parent": None,
                "role": "user",
                "content": [{"type": "image", "source": {"type": "attachment", "attachment": "x"}}],
            }
        ]
    },
    "a setting that the model does not take": {"conversation": {"model": "claude-opus-5-5", "temperature": 0.5}},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_what_no_conversation_could_be_like_is_refused(api: Api, change: dict[str, Any]) -> None:
    whole: dict[str, Any] = {"format": "colloquy/1", "conversation": {}, "messages": [], "active_leaf": None}
    assert api.post("conversations/import/", whole).status_code == 201
    response = api.post("conversations/import/", {**whole, **change})
    assert response.status_code == 400, response.text
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert len(api.get("conversations/").json()["results"]) == 1


def test_anothers_conversation_is_not_there(api: Api, other: Api, conversation: str) -> None:
    leaf = messages(api, conversation)[-1]["id"]
    assert other.get(f"conversations/{conversation}/export/").status_code == 404
    assert other.post(f"conversations/{conversation}/fork/", {"message": leaf}).status_code == 404
    own = other.conversation()
    assert other.post(f"conversations/{own}/fork/", {"message": leaf}).status_code == 404
