"""Input that exceeds the model's context window is refused before Claude is asked to answer it."""

from __future__ import annotations

import json

import pytest

from conversations.models import Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api

WORDS = "word " * 250_000


def paths_of(sandbox: Sandbox, system: str) -> list[str]:
    bodies = [(request.path, request.body) for request in list(sandbox.requests)]
    return [path for path, body in bodies if isinstance(body, dict) and body.get("system") == system]


def test_it_is_an_error_that_says_how_much_is_too_much(api: Api, sandbox: Sandbox) -> None:
    conversation = api.conversation(model="claude-haiku-4-5", system="too long")
    response = api.post(f"conversations/{conversation}/turns/?wait=true", {"content": WORDS})
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "claude-haiku-4-5 takes at most 200000" in response.json()["error"]["message"]
    assert paths_of(sandbox, "too long") == ["/v1/messages/count_tokens"]
    turn = api.get(f"conversations/{conversation}/turns/").json()["results"][0]
    assert (turn["status"], turn["actions"]) == ("failed", ["continue", "retry", "edit"])
    assert not Usage.objects.filter(turn=turn["id"]).exists()


def test_what_fits_is_sent(api: Api, sandbox: Sandbox) -> None:
    conversation = api.conversation(model="claude-sonnet-4-6", system="long enough")
    assert api.ask(WORDS, conversation)["status"] == "completed"
    assert "/v1/messages" in paths_of(sandbox, "long enough")
    conversation = api.conversation(model="claude-haiku-4-5", system="short")
    assert api.ask("Hello", conversation)["status"] == "completed"
    assert paths_of(sandbox, "short") == ["/v1/messages"]


@pytest.mark.parametrize("asked", [WORDS, "Do what you can't [[sandbox: error=400]]"])
def test_the_conversation_goes_on_after_it(api: Api, sandbox: Sandbox, asked: str) -> None:
    """Later requests omit the input that was too long, which is still shown, and can be sent to another model."""
    conversation = api.conversation(model="claude-haiku-4-5", system=f"goes on after {asked[:4]}")
    assert api.ask("Hello", conversation)["status"] == "completed"
    api.post(f"conversations/{conversation}/turns/?wait=true", {"content": asked})
    assert api.ask("And now?", conversation)["status"] == "completed"
    sent = [request.body for request in list(sandbox.requests) if request.path == "/v1/messages"][-1]
    assert isinstance(sent, dict)
    assert asked not in json.dumps(sent["messages"])
    listed = api.get(f"conversations/{conversation}/messages/").json()["results"]
    assert [message["role"] for message in listed] == ["user", "assistant", "user", "user", "assistant"]
    assert listed[2]["content"][0]["text"] == asked
    if asked == WORDS:
        assert api.ask("All of it?", conversation, model="claude-sonnet-4-6")["status"] == "completed"
        sent = [request.body for request in list(sandbox.requests) if request.path == "/v1/messages"][-1]
        assert isinstance(sent, dict)
        assert asked.strip() in json.dumps(sent["messages"])


def test_what_failed_otherwise_is_asked_again_with_what_comes_after_it(api: Api, sandbox: Sandbox) -> None:
    conversation = api.conversation()
    asked = "Why is tea green? [[sandbox: error=529]]"
    assert api.post(f"conversations/{conversation}/turns/?wait=true", {"content": asked}).status_code == 503
    api.post(f"conversations/{conversation}/turns/?wait=true", {"content": "Well?"})
    sent = [request.body for request in list(sandbox.requests) if request.path == "/v1/messages"][-1]
    assert isinstance(sent, dict)
    [message] = sent["messages"]
    assert [block["text"] for block in message["content"]] == [asked, "Well?"]
