"""Every stop reason of Claude is stored and shown unchanged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conversations.sandbox.server import Sandbox
from tests.clients import Api, sse

WHOLE, CUT = ["retry", "edit"], ["continue", "retry", "edit"]
REASONS = {
    "end_turn": WHOLE,
    "max_tokens": CUT,
    "stop_sequence": WHOLE,
    "tool_use": CUT,
    "pause_turn": CUT,
    "refusal": WHOLE,
    "model_context_window_exceeded": WHOLE,
    "compaction": WHOLE,
    "gone_fishing": WHOLE,
}
"""Stop reasons, each with what can follow it."""


def by_waiting(api: Api, conversation: str, content: str) -> str:
    return str(api.ask(content, conversation)["id"])


def by_polling(api: Api, conversation: str, content: str) -> str:
    return str(api.ended(api.begin(content, conversation)["id"])["id"])


def by_sse(api: Api, conversation: str, content: str) -> str:
    headers = {"Accept": "text/event-stream"}
    path = f"/api/conversations/{conversation}/turns/"
    with api.http.stream("POST", path, json={"content": content}, headers=headers) as response:
        return str(list(sse(response))[-1]["turn"])


def by_socket(api: Api, conversation: str, content: str) -> str:
    with api.socket() as socket:
        socket.send(type="turn.create", ref=1, conversation=conversation, content=content)
        return str(socket.until("turn_end")[-1]["turn"])


@pytest.mark.parametrize("ask", [by_waiting, by_polling, by_sse, by_socket])
@pytest.mark.parametrize("reason", REASONS)
def test_it_is_kept_and_shown_unchanged(api: Api, reason: str, ask: Callable[[Api, str, str], str]) -> None:
    conversation = api.conversation()
    id = ask(api, conversation, f"Hello [[sandbox: stop_reason={reason}; stop_sequence=END]]")
    turn = api.get(f"turns/{id}/").json()
    assert (turn["status"], turn["stop_reason"], turn["actions"]) == ("completed", reason, REASONS[reason])
    assert turn["stop_sequence"] == ("END" if reason == "stop_sequence" else None)
    assert turn["messages"][-1]["stop_reason"] == reason
    *_, delta, _, end = api.events(id)
    assert (delta["delta"]["stop_reason"], end["stop_reason"]) == (reason, reason)
    path = api.get(f"conversations/{conversation}/messages/").json()["results"]
    assert path[-1]["stop_reason"] == reason


@pytest.mark.parametrize("reason", REASONS)
def test_the_conversation_goes_on_after_it(api: Api, reason: str) -> None:
    conversation = api.conversation(tools=[{"name": "look", "input_schema": {"type": "object"}}])
    directive = 'tool=look{"at": "it"}; ' if reason == "tool_use" else ""
    turn = api.ask(f"Hello [[sandbox: {directive}stop_reason={reason}]]", conversation)
    if turn["status"] == "awaiting_tools":
        api.post(f"turns/{turn['id']}/cancel/")
    assert api.ask("Go on", conversation)["status"] == "completed"


def test_max_tokens_cuts_the_answer(api: Api) -> None:
    turn = api.ask("[[sandbox: words=500]]", max_tokens=10)
    assert turn["stop_reason"] == "max_tokens"
    assert turn["messages"][0]["content"][0]["text"].startswith("word1 word2")


def test_a_stop_sequence_ends_it(api: Api) -> None:
    turn = api.ask('[[sandbox: text="one two three four"]]', stop_sequences=["three"])
    assert (turn["stop_reason"], turn["stop_sequence"]) == ("stop_sequence", "three")
    assert turn["messages"][0]["content"][0]["text"] == "one two "


def test_a_refusal_has_its_details(api: Api) -> None:
    turn = api.ask("Hello [[sandbox: refusal=bio]]")
    assert turn["status"] == "completed"
    assert turn["stop_details"]["category"] == "bio"
    assert turn["messages"][0]["content"] == []


def test_kinds_not_invented_yet_pass_through(api: Api) -> None:
    turn = api.ask("Hello [[sandbox: block=sandbox_hologram]]")
    assert turn["messages"][0]["content"][0] == {"type": "sandbox_hologram", "shape": "sphere", "parts": []}
    events = api.events(turn["id"])
    assert any(event["type"] == "sandbox_event" and event["note"] for event in events)
    assert any(event.get("delta", {}).get("type") == "sandbox_delta" for event in events)
    assert not any(event["type"] == "ping" for event in events)
    assert api.ask("And again", turn["conversation"])["status"] == "completed"


def test_a_refused_turn_is_not_replayed(api: Api, sandbox: Sandbox) -> None:
    """Neither its answer nor its question is sent again: Claude would refuse all later turns."""
    conversation = api.conversation(tools=[{"name": "look", "input_schema": {"type": "object"}}])
    before = api.ask("Hello", conversation)
    turn = api.ask("How is it made? [[sandbox: tool=look; then; refusal=bio; text=Well]]", conversation)
    (call,) = (block["id"] for block in turn["messages"][0]["content"] if block["type"] == "tool_use")
    api.post(f"turns/{turn['id']}/tool-results/", {"results": [{"tool_use_id": call, "content": "a wall"}]})
    assert api.ended(turn["id"])["stop_reason"] == "refusal"
    assert api.ask("Something else, then", conversation)["stop_reason"] == "end_turn"
    asked = [message["content"] for message in sandbox.requests[-1].body["messages"]]
    assert asked == [
        [{"type": "text", "text": "Hello"}],
        before["messages"][0]["content"],
        [{"type": "text", "text": "Something else, then"}],
    ]
    assert len(api.get(f"conversations/{conversation}/messages/").json()["results"]) == 8
