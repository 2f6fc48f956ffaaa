"""Tools of a client: the turn waits for their results, accepts them in any order, and can be stopped meanwhile."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from conversations.content.folding import fold
from conversations.models import Message, Turn, Usage
from conversations.sandbox.server import Sandbox
from conversations.services.turns import turn_end
from tests.calls import LOOK, TOUCH, calls_in, hand_in, results_in
from tests.clients import Api
from tests.waiting import until


def test_a_turn_waits_for_its_clients_tools(api: Api) -> None:
    conversation = api.conversation(tools=[LOOK])
    turn = api.ask("Hello [[sandbox: tool=look]]", conversation)
    assert (turn["status"], turn["stop_reason"], turn["actions"]) == ("awaiting_tools", "tool_use", ["tool_results"])
    assert turn["usage"]["requests"] == 1
    refused = api.post(f"conversations/{conversation}/turns/", {"content": "Hello?"})
    assert refused.status_code == 409
    assert refused.json()["error"]["details"] == {"turn": turn["id"]}
    (call,) = calls_in(turn)
    assert hand_in(api, turn, (call, "a wall")).status_code == 202
    ended = api.ended(turn["id"])
    assert (ended["status"], ended["usage"]["requests"]) == ("completed", 2)
    assert "a wall" in ended["messages"][-1]["content"][0]["text"]
    path = api.get(f"conversations/{conversation}/messages/").json()["results"]
    assert [message["id"] for message in path[1:]] == [message["id"] for message in ended["messages"]]


def test_results_may_come_in_parts_and_more_than_once(api: Api) -> None:
    turn = api.ask("Hello [[sandbox: tool=look; tool=touch]]", api.conversation(tools=[LOOK, TOUCH]))
    look, touch = calls_in(turn)
    assert hand_in(api, turn, (touch, "warm")).json()["status"] == "awaiting_tools"
    assert hand_in(api, turn, (touch, "warm")).status_code == 202
    assert hand_in(api, turn, (touch, "cold")).status_code == 409
    assert hand_in(api, turn, (look, "red")).status_code == 202
    ended = api.ended(turn["id"])
    assert {name: block["content"] for name, block in results_in(ended).items()} == {"look": "red", "touch": "warm"}
    assert hand_in(api, turn, (look, "red"), (touch, "warm")).status_code == 202
    assert hand_in(api, turn, (look, "blue")).status_code == 409
    assert hand_in(api, turn, ("call", "x")).status_code == 409  # it has ended


def waits_having_said(api: Api, turn: str, messages: int) -> bool:
    """Return whether the turn awaits tool results after so many messages."""
    found = api.get(f"turns/{turn}/").json()
    return bool(found["status"] == "awaiting_tools" and len(found["messages"]) == messages)


def test_calls_of_later_answers_may_have_the_ids_of_earlier_ones(api: Api, sandbox: Sandbox) -> None:
    """Some servers number the calls of each answer anew."""
    call = json.dumps([{"type": "tool_use", "id": "call_0", "name": "look", "input": {}}])
    calls = f"content={call}; stop_reason=tool_use; then; " * 3
    turn = api.ask(f"Hello [[sandbox: {calls}text=Seen]]", api.conversation(tools=[LOOK]))
    for number, result in enumerate(("red", "blue", "blue")):
        until(partial(waits_having_said, api, turn["id"], 2 * number + 1))
        assert hand_in(api, turn, ("call_0", result)).status_code == 202
    assert api.ended(turn["id"])["status"] == "completed"
    sent = [block for message in sandbox.requests[-1].body["messages"][2::2] for block in message["content"]]
    assert [(block["tool_use_id"], block["content"]) for block in sent] == [
        ("call_0", "red"),
        ("call_0_2", "blue"),
        ("call_0_3", "blue"),
    ]


@pytest.mark.parametrize(
    "results",
    [
        [],
        "look",
        [{"tool_use_id": "nobody's", "content": "x"}],
        [{"content": "x"}],
        [{"tool_use_id": "CALL", "content": 1}],
        [{"tool_use_id": "CALL", "content": "x", "sure": True}],
        [{"tool_use_id": "CALL", "content": [{"type": "tool_use"}]}],
        [{"tool_use_id": "CALL", "content": "x"}, {"tool_use_id": "CALL", "content": "x"}],
    ],
)
def test_bad_results_are_refused_and_the_turn_still_waits(api: Api, results: Any) -> None:
    turn = api.ask("Hello [[sandbox: tool=look]]", api.conversation(tools=[LOOK]))
    given = json.loads(json.dumps(results).replace("CALL", calls_in(turn)[0]))
    response = api.post(f"turns/{turn['id']}/tool-results/", {"results": given})
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")
    assert api.get(f"turns/{turn['id']}/").json()["status"] == "awaiting_tools"


def test_an_awaiting_turn_can_be_stopped_and_the_conversation_goes_on(api: Api) -> None:
    conversation = api.conversation(tools=[LOOK])
    turn = api.ask("Hello [[sandbox: tool=look]]", conversation)
    assert api.post(f"turns/{turn['id']}/cancel/").json()["status"] == "cancelled"
    assert api.events(turn["id"])[-1]["messages"] == [turn["messages"][0]["id"]]
    assert Usage.objects.filter(turn=turn["id"]).count() == 1
    assert hand_in(api, turn, (calls_in(turn)[0], "late")).status_code == 409
    late = [{"type": "tool_result", "tool_use_id": calls_in(turn)[0], "content": "late"}]
    assert api.ask([*late, {"type": "text", "text": "Well?"}], conversation)["status"] == "completed"


def test_a_result_that_was_taken_is_not_lost_with_the_turn(api: Api) -> None:
    """The tool did run, and Claude must not be told that it did not."""
    conversation = api.conversation(tools=[LOOK, TOUCH])
    turn = api.ask("Hello [[sandbox: tool=look; tool=touch]]", conversation)
    look, touch = calls_in(turn)
    assert hand_in(api, turn, (look, "red")).status_code == 202
    assert api.post(f"turns/{turn['id']}/cancel/").json()["status"] == "cancelled"
    events = api.events(turn["id"])
    ended = api.get(f"turns/{turn['id']}/").json()
    assert {name: block["content"] for name, block in results_in(ended).items()} == {"look": "red"}
    assert [each.content for each in fold(events)] == [message["content"] for message in ended["messages"]]
    assert events[-1]["messages"] == [message["id"] for message in ended["messages"]]
    late = [{"type": "tool_result", "tool_use_id": touch, "content": "warm"}]
    text = api.ask(late, conversation)["messages"][-1]["content"][0]["text"]
    assert '"red"; "warm"' in text
    again = api.post(f"turns/{turn['id']}/continue/?wait=true", {}).json()["messages"][-1]["content"][0]["text"]
    assert '"red"; "The tool was not run' in again


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-5-5"])
def test_thinking_stays_in_a_loop_that_goes_on_with_other_settings_where_the_model_takes_it(
    api: Api, sandbox: Sandbox, model: str
) -> None:
    conversation = api.conversation(model=model, tools=[LOOK], system="Be brief.")
    turn = api.ask("Hello [[sandbox: thinking; tool=look; then; text=Seen]]", conversation)
    api.post(f"turns/{turn['id']}/cancel/")
    response = api.post(f"turns/{turn['id']}/continue/?wait=true", {"system": "Be kind."})
    assert response.json()["status"] == "completed", response.text
    kinds = [block["type"] for block in sandbox.requests[-1].body["messages"][1]["content"]]
    assert kinds == (["thinking", "tool_use"] if model == "claude-sonnet-4-5" else ["tool_use"])


CODE_TOOL = {"type": "code_execution_20260521", "name": "code_execution"}


def asked_by_code(api: Api, conversation: str) -> Any:
    """Run a turn in which Claude's code execution has called a tool of the client, and waits for its result."""
    caller = {"type": "code_execution_20260521", "tool_id": "srvtoolu_1"}
    code = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "look()"}}
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}, "caller": caller}
    content = json.dumps([code, call])
    return api.ask(f"Go [[sandbox: content={content}; stop_reason=tool_use; then; text=Seen]]", conversation)


def test_code_of_claudes_that_calls_a_tool_goes_on_where_it_runs(api: Api, sandbox: Sandbox) -> None:
    conversation = api.conversation(tools=[CODE_TOOL, LOOK])
    turn = asked_by_code(api, conversation)
    assert hand_in(api, turn, ("toolu_1", "a wall")).status_code == 202
    assert api.ended(turn["id"])["status"] == "completed"
    assert sandbox.requests[-1].body["container"].startswith("container_")
    assert api.ask("And now?", conversation)["status"] == "completed"
    assert "container" not in sandbox.requests[-1].body


def test_code_of_claudes_that_was_stopped_can_go_on_or_be_left(api: Api, sandbox: Sandbox) -> None:
    conversation = api.conversation(tools=[CODE_TOOL, LOOK])
    turn = asked_by_code(api, conversation)
    api.post(f"turns/{turn['id']}/cancel/")
    assert api.ask("Never mind", conversation)["status"] == "completed"
    assert [block["type"] for block in sandbox.requests[-1].body["messages"][1]["content"]] == ["tool_use"]
    response = api.post(f"turns/{turn['id']}/continue/?wait=true", {})
    assert response.json()["status"] == "completed", response.text
    assert sandbox.requests[-1].body["container"].startswith("container_")


def test_results_of_code_of_claudes_that_was_stopped_may_be_said_later(api: Api, sandbox: Sandbox) -> None:
    """There it goes on where it runs; in a copy of the conversation nobody knows where that is."""
    conversation = api.conversation(tools=[CODE_TOOL, LOOK])
    turn = asked_by_code(api, conversation)
    api.post(f"turns/{turn['id']}/cancel/")
    copy = api.post(f"conversations/{conversation}/fork/", {"message": turn["messages"][0]["id"]}).json()["id"]
    late = [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "a wall"}]
    assert api.ask(late, conversation)["status"] == "completed"
    assert sandbox.requests[-1].body["container"].startswith("container_")
    assert api.ask(late, copy)["status"] == "completed"
    assert [block["type"] for block in sandbox.requests[-1].body["messages"][1]["content"]] == ["tool_use"]


def test_results_in_a_message_must_be_of_the_answer_before_it(api: Api) -> None:
    content = [{"type": "tool_result", "tool_use_id": "call", "content": "x"}]
    response = api.post(f"conversations/{api.conversation()}/turns/", {"content": content})
    assert response.status_code == 400


@pytest.mark.parametrize("stop_reason", ["max_tokens", "refusal"])
def test_a_call_that_does_not_stand_has_no_result(api: Api, stop_reason: str) -> None:
    """The call is left out of the history, and so is a result; the client gets an error."""
    conversation = api.conversation(tools=[LOOK])
    turn = api.ask(f"Hello [[sandbox: tool=look; stop_reason={stop_reason}]]", conversation)
    content = [{"type": "tool_result", "tool_use_id": calls_in(turn)[0], "content": "x"}]
    response = api.post(f"conversations/{conversation}/turns/", {"content": content})
    assert response.status_code == 400, response.text


def test_nobody_else_can_hand_in_results(api: Api, other: Api) -> None:
    turn = api.ask("Hello [[sandbox: tool=look]]", api.conversation(tools=[LOOK]))
    assert hand_in(other, turn, (calls_in(turn)[0], "a lie")).status_code == 404
    assert Message.objects.filter(turn=turn["id"]).count() == 1


def test_a_client_that_never_comes_back_does_not_keep_its_turn_waiting_for_ever(api: Api) -> None:
    turn = api.ask("Hello [[sandbox: tool=look]]", api.conversation(tools=[LOOK]))
    turn_end.settle(turn_id=uuid.UUID(turn["id"]), by=uuid.uuid4())
    assert api.get(f"turns/{turn['id']}/").json()["status"] == "awaiting_tools"
    Turn.objects.filter(pk=turn["id"]).update(awaiting_since=timezone.now() - timedelta(hours=25))
    turn_end.settle(turn_id=uuid.UUID(turn["id"]), by=uuid.uuid4())
    assert api.ended(turn["id"])["status"] == "interrupted"
    assert Usage.objects.filter(turn=turn["id"]).count() == 1
