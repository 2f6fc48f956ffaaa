"""Every reason for which Claude stops is kept and shown as it is."""

from __future__ import annotations

import pytest

from tests.clients import Api

REASONS = [
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
    "gone_fishing",
]


@pytest.mark.parametrize("reason", REASONS)
def test_it_is_kept_and_shown_unchanged(api: Api, reason: str) -> None:
    turn = api.ask(f"Hello [[sandbox: stop_reason={reason}; stop_sequence=END]]")
    assert turn["status"] == "completed"
    assert turn["stop_reason"] == reason
    assert turn["stop_sequence"] == ("END" if reason == "stop_sequence" else None)
    assert turn["messages"][-1]["stop_reason"] == reason
    assert api.events(turn["id"])[-1]["stop_reason"] == reason
    conversation = api.get(f"conversations/{turn['conversation']}/messages/").json()["results"]
    assert conversation[-1]["stop_reason"] == reason


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
