"""Input that is longer than the model's context window is refused by us, before Claude is asked to answer it."""

from __future__ import annotations

from conversations.claude.sandbox.server import Sandbox
from conversations.models import Usage
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
