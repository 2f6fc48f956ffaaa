"""Claude calls tools, the platform runs its own, and one turn continues to its end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conversations.content.folding import fold
from conversations.models import MessageAttachment, Turn, Usage
from conversations.services.turns import transcripts
from tests.calls import LOOK, ours, results_in
from tests.clients import Api
from tests.waiting import until


@pytest.mark.parametrize(
    ("tool", "given", "content", "is_error"),
    [
        ("add", {"first": 2, "second": 3}, "5", False),
        ("add", {"first": 2}, "3", False),
        ("add", {"first": "two"}, "first: Input should be a valid integer", True),
        ("add", {"first": 2, "third": 3}, "third: Extra inputs are not permitted", True),
        ("broken", {"word": "milk"}, "RuntimeError: no milk today", True),
        ("slow", {}, "The tool took longer than 0.2 seconds.", True),
        ("title", {}, '{"title":"Arithmetic"}', False),
    ],
)
def test_the_platform_runs_its_own(api: Api, tool: str, given: Any, content: str, is_error: bool) -> None:
    conversation = api.conversation(title="Arithmetic", tools=ours(tool))
    turn = api.ask(f"Please [[sandbox: tool={tool}{json.dumps(given)}]]", conversation)
    assert (turn["status"], turn["stop_reason"]) == ("completed", "end_turn")
    assert [message["role"] for message in turn["messages"]] == ["assistant", "user", "assistant"]
    result = results_in(turn)[tool]
    assert content in result["content"]
    assert result["is_error"] is is_error
    assert content.replace('"', '\\"') in turn["messages"][-1]["content"][0]["text"]  # Claude was told
    assert turn["usage"]["requests"] == 2


def test_parallel_calls_run_at_the_same_time(api: Api) -> None:
    turn = api.ask(
        'Please [[sandbox: tool=nap{"seconds": 0.5}; tool=nap{"seconds": 0.5}]]', api.conversation(tools=ours("nap"))
    )
    first, second = (float(block["content"]) for block in turn["messages"][1]["content"])
    assert abs(first - second) < 0.4


def test_a_picture_that_a_tool_made_is_kept_as_an_attachment(api: Api) -> None:
    turn = api.ask("Please [[sandbox: tool=picture]]", api.conversation(tools=ours("picture")))
    image = results_in(turn)["picture"]["content"][1]
    assert image["source"]["type"] == "attachment"
    assert api.get(image["source"]["url"].removeprefix("/api/")).headers["content-type"] == "image/gif"
    assert MessageAttachment.objects.filter(message=turn["messages"][1]["id"]).count() == 1


def test_a_tool_that_the_platform_has_not_is_refused_before_anything_happens(api: Api) -> None:
    response = api.post("conversations/", {"tools": ours("rm_rf")})
    assert response.status_code == 400
    assert "tools.0.name" in response.json()["error"]["details"]


def test_the_whole_loop_is_one_turn(api: Api) -> None:
    """Two parallel tools of the platform, one of which fails, then a client's tool over its socket, then a pause."""
    conversation = api.conversation(tools=[*ours("add", "broken"), LOOK])
    prompt = (
        'Go [[sandbox: tool=add{"first": 1}; tool=broken{"word": "milk"}; then; tool=look; then; '
        'web_search; stop_reason=pause_turn; then; text="All done."]]'
    )
    with api.socket() as socket:
        socket.send(type="turn.create", ref=1, conversation=conversation, content=prompt)
        turn = socket.until("turn.created")[-1]["turn"]
        events: list[Any] = []
        while sum(event["type"] == "message_stop" for event in events) < 2:
            events.append(socket.receive())
        call = next(block for block in fold(events)[-1].content if block["type"] == "tool_use")
        # At once, whether or not the turn is already waiting.
        results = [{"tool_use_id": call["id"], "content": "a wall"}]
        socket.send(type="turn.tool_results", ref=2, turn=turn["id"], results=results)
        rest = socket.until("turn_end")
        events += [frame for frame in rest if frame["type"] != "ok"]
        assert {"type": "ok", "ref": 2} in rest
    found = api.get(f"turns/{turn['id']}/").json()
    assert (found["status"], found["stop_reason"]) == ("completed", "end_turn")
    assert found["usage"]["requests"] == 4 == Usage.objects.filter(turn=turn["id"]).count()
    roles = ["assistant", "user", "assistant", "user", "assistant", "assistant"]
    assert [message["role"] for message in found["messages"]] == roles
    assert {name: block["is_error"] for name, block in results_in(found).items()} == {
        "add": False,
        "broken": True,
        "look": False,
    }
    assert found["messages"][-1]["content"][-1]["text"] == "All done."
    assert [event["position"] for event in events] == sorted({event["position"] for event in events})
    assert [each.content for each in fold(events)] == [message["content"] for message in found["messages"]]
    assert events == merged_like(api.events(turn["id"]), events)
    assert api.ask("And now?", conversation)["status"] == "completed"


def merged_like(whole: list[Any], seen: list[Any]) -> list[Any]:
    """Return `seen` if it folds to the same as `whole`; else `whole`, for the assertion to show."""
    return seen if fold(whole) == fold(seen) and whole[-1] == seen[-1] else whole


def test_what_was_stopped_between_tools_can_be_continued(api: Api) -> None:
    conversation = api.conversation(tools=ours("add"))
    turn = api.begin('Go [[sandbox: tool=add{"first": 1}; then; words=500; pace=0.05]]', conversation)
    events = api.events(turn["id"], limit=1)
    while not any(event["type"] == "tool_result" for event in events):
        events = api.events(turn["id"], limit=len(events) + 1)
    api.post(f"turns/{turn['id']}/cancel/")
    stopped = api.ended(turn["id"])
    assert (stopped["status"], stopped["actions"]) == ("cancelled", ["continue", "retry", "edit"])
    response = api.post(f"turns/{turn['id']}/continue/?wait=true", {})
    assert response.json()["status"] == "completed", response.text


def test_what_a_tool_has_returned_is_committed_before_claude_is_asked_with_it(api: Api) -> None:
    """If the process dies in between, the result is in the history, and the tool is not called again."""
    conversation = api.conversation(tools=ours("add"))
    turn = Turn.objects.get(pk=api.begin('Go [[sandbox: tool=add{"first": 1}; then; words=200]]', conversation)["id"])
    until(lambda: Turn.objects.get(pk=turn.pk).requests_sent == 2, pause=0)
    assert "tool_result" in [event["type"] for event in transcripts.committed(turn)]
    api.post(f"turns/{turn.pk}/cancel/")
    api.ended(str(turn.pk))


def test_a_turn_makes_only_so_many_requests(api: Api) -> None:
    rounds = "; then; ".join(['tool=add{"first": 1}'] * 30)
    turn = api.ask(f"Go [[sandbox: {rounds}]]", api.conversation(tools=ours("add")))
    assert (turn["status"], turn["stop_reason"], turn["usage"]["requests"]) == ("completed", "tool_use", 25)
    assert turn["actions"] == ["continue", "retry", "edit"]
    response = api.post(f"turns/{turn['id']}/continue/?wait=true", {})
    assert response.json()["status"] == "completed", response.text
