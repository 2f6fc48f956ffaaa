"""Tool input that is not a JSON object reaches no tool and no client; Claude is told of the error, and asked again."""

from __future__ import annotations

import json

import pytest

from conversations.models import Usage
from conversations.sandbox.server import Sandbox
from tests import scripted
from tests.clients import Api
from tests.processes import ServerProcess
from tests.scripted import START, call, end, text, wire

INPUTS = {
    "raw newline": '{"first": "1\n"}',
    "NaN": '{"first": NaN}',
    "infinity": '{"first": 1e999}',
    "bad escape": '{"first": "\\x"}',
    "lone surrogate": '{"first": "\\ud83c"}',
    "half a character": '{"first": "\ud83c"}',
    "a key twice": '{"first": 1, "first": 2}',
    "a key twice, within": '{"first": {"a": 1, "\\u0061": 2}}',
    "cut": '{"first": 1, "second": ',
    "cut string": '{"first": "1',
    "two values": '{"first": 1}{"first": 2}',
    "trailing text": '{"first": 1} as you asked',
    "list": "[1]",
    "string": '"{}"',
    "null": "null",
    "number": "5",
    "white space": "  ",
    "single quotes": "{'first': 1}",
    "trailing comma": '{"first": 1,}',
    "comment": '{"first": 1} // one',
    "deep": '{"first":' * 400 + "1" + "}" * 400,
}
ADD = {"type": "platform", "name": "add"}
LOOK = {"name": "look", "input_schema": {"type": "object"}}


def calling(*calls: str, then: str = 'text="Again"') -> str:
    """Return a prompt that is answered with tool calls that have these inputs."""
    events = [each for at, given in enumerate(calls) for each in given_call(at, given)]
    return scripted.prompt(wire(START, *events, *end("tool_use")), then=then)


def given_call(at: int, given: str) -> list[dict[str, object]]:
    name, _, written = given.partition(":")
    return call(f"toolu_{at}", name, written[:3], written[3:], index=at)


def shown(name: str) -> str:
    """Return an input as the API shows it, with lone surrogates as escapes."""
    return INPUTS[name].replace("\ud83c", "\\ud83c")


@pytest.mark.parametrize(
    ("tool", "name"), [*(("add", name) for name in INPUTS), *(("look", name) for name in ("cut", "NaN", "list"))]
)
def test_it_is_answered_by_an_error_that_shows_it(api: Api, tool: str, name: str) -> None:
    turn = api.ask(calling(f"{tool}:{INPUTS[name]}"), api.conversation(tools=[ADD, LOOK]))
    assert (turn["status"], turn["usage"]["requests"]) == ("completed", 2)
    first, results, last = turn["messages"]
    assert first["content"][0]["input"] == {"INVALID_JSON": shown(name)}
    [result] = results["content"]
    assert (result["tool_use_id"], result["is_error"]) == ("toolu_0", True)
    assert shown(name) in result["content"]
    assert last["content"][0]["text"] == "Again"
    [event] = [each for each in api.events(turn["id"]) if each["type"] == "tool_result"]
    assert event["content"] == result["content"]


def test_the_conversation_goes_on_with_it_in_its_history(api: Api, sandbox: Sandbox) -> None:
    conversation = api.conversation(tools=[ADD, LOOK])
    api.ask(calling("add:[1]", "look:nonsense"), conversation)
    assert api.ask(f"And now? {conversation}", conversation)["status"] == "completed"
    body = next(each.body for each in reversed(sandbox.requests) if conversation in str(each.body))
    inputs = [block["input"] for block in body["messages"][1]["content"]]
    assert inputs == [{"INVALID_JSON": "[1]"}, {"INVALID_JSON": "nonsense"}]


def test_others_calls_of_the_same_answer_are_run(api: Api) -> None:
    conversation = api.conversation(tools=[ADD, LOOK])
    turn = api.ask(calling('add:{"first": 1, "second": 2}', "look:nonsense", 'look:{"at": "it"}'), conversation)
    assert turn["status"] == "awaiting_tools"
    refused = api.post(f"turns/{turn['id']}/tool-results/", {"results": [{"tool_use_id": "toolu_1", "content": "x"}]})
    assert refused.status_code == 409
    given = api.post(
        f"turns/{turn['id']}/tool-results/", {"results": [{"tool_use_id": "toolu_2", "content": "a wall"}]}
    )
    assert given.status_code == 202
    done = api.ended(turn["id"])
    assert done["status"] == "completed"
    results = {block["tool_use_id"]: block for block in done["messages"][1]["content"]}
    assert (results["toolu_0"]["content"], results["toolu_1"]["is_error"]) == ("3", True)
    assert results["toolu_2"]["content"] == "a wall"


def test_an_empty_input_is_an_empty_object(api: Api) -> None:
    turn = api.ask(calling("look:"), api.conversation(tools=[LOOK]))
    assert (turn["status"], turn["messages"][0]["content"][0]["input"]) == ("awaiting_tools", {})


@pytest.mark.parametrize("begun", [{}, {"input": {"at": 1}}])
def test_an_input_may_come_with_the_call_or_not_at_all(api: Api, begun: dict[str, object]) -> None:
    block = {"type": "tool_use", "id": "toolu_0", "name": "look", **begun}
    events = scripted.block(0, block)
    turn = api.ask(scripted.prompt(wire(START, *events, *end("tool_use"))), api.conversation(tools=[LOOK]))
    assert turn["messages"][0]["content"][0]["input"] == begun.get("input", {})


def test_what_max_tokens_cut_is_kept_as_it_came(api: Api) -> None:
    conversation = api.conversation(tools=[LOOK])
    events = [*text("So"), *call("toolu_0", "look", '{"at": "a w', index=1)]
    turn = api.ask(scripted.prompt(wire(START, *events, *end("max_tokens"))), conversation)
    assert (turn["status"], turn["stop_reason"]) == ("completed", "max_tokens")
    assert turn["messages"][0]["content"][1]["input"] == {"INVALID_JSON": '{"at": "a w'}
    assert api.ask("Go on", conversation)["status"] == "completed"


def test_an_id_that_another_answer_had_does_not_lock_the_conversation(api: Api, sandbox: Sandbox) -> None:
    """Some servers number the calls of each answer from the beginning."""
    conversation = api.conversation(tools=[ADD])
    for _ in range(2):
        assert api.ask(calling('add:{"first": 1, "second": 2}'), conversation)["status"] == "completed"
    assert api.ask(f"And now? {conversation}", conversation)["status"] == "completed"
    body = next(each.body for each in reversed(sandbox.requests) if conversation in str(each.body))
    used = [block["id"] for each in body["messages"] for block in each["content"] if block["type"] == "tool_use"]
    assert used == ["toolu_0", "toolu_0_2"]
    assert json.dumps(body).count('"toolu_0_2"') == 2


def test_it_counts_against_the_rounds_of_a_turn(database: str, sandbox: Sandbox) -> None:
    with (
        ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_REQUESTS_PER_TURN="2") as server,
        Api(server.url) as api,
    ):
        again = calling("add:nonsense").removeprefix("[[sandbox: ").removesuffix("]]")
        turn = api.ask(calling("add:nonsense", then=again), api.conversation(tools=[ADD]))
        assert (turn["status"], turn["stop_reason"]) == ("completed", "tool_use")
        assert Usage.objects.filter(turn=turn["id"]).count() == 2
