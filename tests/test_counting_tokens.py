"""The tokens of a turn can be counted before it is begun."""

from __future__ import annotations

import base64
from typing import Any

from conversations.models import Attachment, Message, Turn, Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api


def count(api: Api, conversation: str, **body: Any) -> dict[str, Any]:
    response = api.post(f"conversations/{conversation}/count-tokens/", body)
    assert response.status_code == 200, response.text
    counted: dict[str, Any] = response.json()
    return counted


def test_it_is_what_the_turn_is_then_billed_for(api: Api) -> None:
    conversation = api.conversation(system="Be brief.")
    api.ask("Hello", conversation)
    counted = count(api, conversation, content="And now?", max_tokens=50)
    usage = api.ask("And now?", conversation, max_tokens=50)["usage"]
    assert counted == {"input_tokens": usage["input_tokens"], "context_window": 1_000_000, "max_tokens": 50}


def test_nothing_is_kept_of_it(api: Api, sandbox: Sandbox, png: bytes) -> None:
    conversation = api.conversation(temperature=0.5, stop_sequences=["END"])
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    assert count(api, conversation, content=[{"type": "image", "source": source}])["input_tokens"] > 0
    assert sandbox.requests[-1].path == "/v1/messages/count_tokens"
    assert not Message.objects.filter(conversation__pk=conversation).exists()
    assert not Turn.objects.filter(conversation__pk=conversation).exists()
    assert not Usage.objects.filter(user=api.user).exists()
    assert not Attachment.objects.filter(owner=api.user).exists()


def test_an_answer_that_would_be_regenerated_can_be_counted(api: Api) -> None:
    turn = api.ask("Hello")
    again = count(api, turn["conversation"], regenerate=turn["messages"][0]["id"])
    assert again["input_tokens"] == turn["usage"]["input_tokens"]


def test_what_is_anothers_is_not_there(api: Api, other: Api, png: bytes) -> None:
    conversation = api.conversation()
    body = {"content": "Hello"}
    assert other.post(f"conversations/{conversation}/count-tokens/", body).status_code == 404
    mine = api.http.post("/api/attachments/", files={"file": ("a.png", png)}).json()["id"]
    image = [{"type": "image", "source": {"type": "attachment", "attachment": mine}}]
    theirs = other.conversation()
    assert other.post(f"conversations/{theirs}/count-tokens/", {"content": image}).status_code == 404
    assert count(api, conversation, content=image)["input_tokens"] > 0


def test_what_the_model_does_not_take_is_refused(api: Api) -> None:
    response = api.post(f"conversations/{api.conversation()}/count-tokens/", {"content": "Hello", "max_tokens": 0})
    assert response.status_code == 400
