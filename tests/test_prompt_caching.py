"""Every turn after the first reads the turns before it from Claude's prompt cache."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from conversations.content.cache_marks import LOOKBACK, with_cache_marks
from conversations.sandbox.request_rules import validate
from conversations.sandbox.server import Sandbox
from tests.clients import Api

LONG = "Every word of this is worth remembering. " * 200


def test_every_turn_after_the_first_reads_from_the_cache(api: Api) -> None:
    conversation = api.conversation(system=LONG, tools=[{"name": "look", "input_schema": {"type": "object"}}])
    read = [api.ask(f"Question {number}", conversation)["usage"]["cache_read_input_tokens"] for number in range(20)]
    assert read[0] == 0
    assert all(more > less for less, more in itertools.pairwise(read))


def test_a_prompt_is_kept_without_a_system_prompt_too(api: Api) -> None:
    conversation = api.conversation()
    first = api.ask(LONG, conversation)["usage"]
    second = api.ask("And now?", conversation)["usage"]
    assert first["cache_creation_input_tokens"] > 1000
    assert second["cache_read_input_tokens"] >= first["cache_creation_input_tokens"]


def test_another_conversation_reads_the_same_system_prompt(api: Api) -> None:
    system = LONG + "Shared by conversations."
    api.ask("Hello", api.conversation(system=system))
    assert api.ask("Good day", api.conversation(system=system))["usage"]["cache_read_input_tokens"] > 1000


def test_a_users_own_marks_are_kept_and_none_are_added(api: Api, sandbox: Sandbox) -> None:
    own = {"type": "text", "text": LONG, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    api.ask([own], api.conversation(system=LONG))
    body = sandbox.requests[-1].body
    assert body["messages"][0]["content"] == [own]
    assert body["system"] == LONG
    assert "cache_control" not in body


def message(role: str, blocks: int) -> Any:
    return {"role": role, "content": [{"type": "text", "text": f"{number}"} for number in range(blocks)]}


@pytest.mark.parametrize("blocks", [LOOKBACK - 1, LOOKBACK, LOOKBACK + 30])
def test_what_a_long_turn_adds_does_not_hide_the_last_mark(blocks: int) -> None:
    messages = [message("user", 1), message("assistant", blocks), message("user", 1)]
    request: Any = with_cache_marks({"model": "claude-sonnet-4-6", "max_tokens": 9, "messages": messages}, 1024)
    validate(request, version="2026-10-21")
    assert ("cache_control" in request["messages"][0]["content"][0]) is (blocks + 1 > LOOKBACK)
    assert all("cache_control" not in block for each in messages for block in each["content"])


MARKED = {"type": "text", "text": "Keep this.", "cache_control": {"type": "ephemeral"}}


def test_a_user_may_mark_every_message_of_a_long_conversation(api: Api, sandbox: Sandbox) -> None:
    conversation = api.conversation(system=[MARKED])
    for _ in range(6):
        assert api.ask([MARKED], conversation)["status"] == "completed"
    body = sandbox.requests[-1].body
    assert body["system"] == [MARKED]
    asked = [message["content"][0] for message in body["messages"] if message["role"] == "user"]
    assert ["cache_control" in block for block in asked] == [False] * 3 + [True] * 3


def test_what_is_kept_longer_after_what_is_kept_shorter_is_kept_as_short(api: Api, sandbox: Sandbox) -> None:
    longer = {**MARKED, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert api.ask([longer], api.conversation(system=[longer]))["status"] == "completed"
    assert sandbox.requests[-1].body["messages"][0]["content"] == [longer]
    assert api.ask([longer], api.conversation(system=[MARKED]))["status"] == "completed"
    assert sandbox.requests[-1].body["messages"][0]["content"] == [MARKED]


def test_marks_in_results_of_tools_count_too() -> None:
    call = {"type": "tool_use", "id": "call", "name": "look", "input": {"cache_control": "is only a word here"}}
    result = {
        "type": "tool_result",
        "tool_use_id": "call",
        "content": [MARKED] * 3,
        "cache_control": {"type": "ephemeral"},
    }
    messages: list[Any] = [
        {"role": "user", "content": [MARKED]},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    request: Any = with_cache_marks({"model": "claude-sonnet-4-6", "max_tokens": 9, "messages": messages}, 1024)
    validate(request, version="2026-10-21")
    assert request["messages"][1:] == messages[1:]
    assert request["messages"][0]["content"] == [{"type": "text", "text": "Keep this."}]
