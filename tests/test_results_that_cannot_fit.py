"""Tool results that are too long for the model do not block their branch of the conversation."""

from __future__ import annotations

import json
from typing import Any

from conversations.sandbox.server import Sandbox
from tests.calls import LOOK, calls_in, hand_in, ours, results_in
from tests.clients import Api

SMALL = "claude-haiku-4-5"  # its context window has 200,000 tokens


def last_messages(sandbox: Sandbox) -> list[dict[str, Any]]:
    body = [request.body for request in list(sandbox.requests) if request.path == "/v1/messages"][-1]
    assert isinstance(body, dict)
    messages: list[dict[str, Any]] = body["messages"]
    return messages


def test_a_result_that_is_clearly_too_long_is_refused_and_the_turn_still_waits(api: Api) -> None:
    turn = api.ask("Hello [[sandbox: tool=look]]", api.conversation(model=SMALL, tools=[LOOK]))
    [call] = calls_in(turn)
    refused = hand_in(api, turn, (call, "x" * 1_500_000))
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")
    details = refused.json()["error"]["details"]
    assert details["size"] > 1_500_000 > details["limit"]
    assert str(details["limit"]) in refused.json()["error"]["message"]
    assert hand_in(api, turn, (call, "a wall")).status_code == 202
    assert api.ended(turn["id"])["status"] == "completed"


def test_results_that_turn_out_too_long_are_left_out_of_later_requests(api: Api, sandbox: Sandbox) -> None:
    conversation = api.conversation(model=SMALL, tools=[LOOK])
    turn = api.ask("Hello [[sandbox: tool=look]]", conversation)
    [call] = calls_in(turn)
    assert hand_in(api, turn, (call, "word " * 230_000)).status_code == 202
    failed = api.ended(turn["id"])
    assert (failed["status"], failed["error"]["type"]) == ("failed", "invalid_request_error")
    assert api.ask("And now?", conversation)["status"] == "completed"
    sent = json.dumps(last_messages(sandbox))
    assert "word word" not in sent
    assert "The tool was not run" in sent
    assert "word word" in json.dumps(api.get(f"turns/{turn['id']}/").json()["messages"])


def test_what_a_tool_of_the_platform_returns_is_an_error_where_it_is_too_long(api: Api) -> None:
    conversation = api.conversation(model=SMALL, tools=ours("novel"))
    turn = api.ask("Hello [[sandbox: tool=novel{}]]", conversation)
    assert turn["status"] == "completed"
    result = results_in(turn)["novel"]
    assert result["is_error"] is True
    assert "1200000 at most" in result["content"]
