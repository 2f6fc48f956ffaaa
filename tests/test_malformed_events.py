"""An upstream event that violates Claude's API ends the turn at once; the text before it is kept."""

from __future__ import annotations

import pytest

from conversations.models import Turn, Usage
from tests import scripted
from tests.clients import Api
from tests.malformed import AT_FIRST, CASES
from tests.scripted import START, STOP, block, end, text, wire

SILENCE = 20.0  # seconds, longer than a test waits for the turn's end


@pytest.fixture
def api(somebody: Api) -> Api:
    """Provide one user for the whole file: creating one takes longer than most of its tests."""
    return somebody


@pytest.mark.parametrize("case", CASES)
def test_it_fails_the_turn_at_once(api: Api, case: str) -> None:
    conversation = api.conversation(tools=[{"name": "f", "input_schema": {"type": "object"}}])
    begun = api.begin(scripted.prompt(CASES[case], SILENCE), conversation)
    events = api.events(begun["id"])
    turn = api.get(f"turns/{begun['id']}/").json()
    assert (turn["status"], turn["error"]["type"]) == ("failed", "api_error")
    assert turn["error"]["message"]
    assert [event["type"] for event in events].count("turn_end") == 1
    assert events[-1]["position"] == turn["position"]
    assert Usage.objects.get(turn=turn["id"]).source == "estimate"
    if case not in AT_FIRST:
        said = [each["text"] for each in turn["messages"][0]["content"] if each["type"] == "text"]
        assert "it" in said
    # Without an answer, the next request contains this question again.
    after = {"parent": None} if case in AT_FIRST else {}
    assert api.ask("Go on", conversation, **after)["status"] == "completed"


def test_what_failed_goes_with_its_conversation(api: Api) -> None:
    turn = api.ended(api.begin(scripted.prompt(CASES["event of ours"]))["id"])
    assert turn["messages"], "something was said before it"
    assert api.http.delete(f"/api/conversations/{turn['conversation']}/").status_code == 204
    assert not Turn.objects.filter(pk=turn["id"]).exists()


def test_the_error_names_what_was_wrong(api: Api) -> None:
    for case, word in {
        "call without id": "content_block.id",
        "long model": "message.model",
        "delta of no block": "7",
        "event of ours": "turn_end",
        "nonsense": "nonsense",
        "error that is a string": "overloaded",
    }.items():
        turn = api.ended(api.begin(scripted.prompt(CASES[case]))["id"])
        assert word in turn["error"]["message"]


UNKNOWN = [
    {"type": "event_of_tomorrow", "index": "any", "light": [1, {"deep": None}]},
    *block(0, {"type": "hologram", "shape": "sphere", "input": 5}, {"type": "light_delta", "light": 1.5}),
    *block(1, {"type": "text", "text": "", "mood": "good"}, {"type": "mood_delta", "text": {"not": "a string"}}),
]


def test_what_nobody_knows_yet_passes_as_it_is(api: Api) -> None:
    turn = api.ended(api.begin(scripted.prompt(wire(START, *UNKNOWN, *end())))["id"])
    assert turn["status"] == "completed"
    passed = [
        {k: v for k, v in event.items() if k not in ("turn", "position")} for event in api.events(turn["id"])[2:-3]
    ]
    assert passed == UNKNOWN
    assert turn["messages"][0]["content"] == [UNKNOWN[1]["content_block"], UNKNOWN[4]["content_block"]]


def test_blocks_are_kept_by_their_index_wherever_it_begins(api: Api) -> None:
    second, first = text("second", index=4), text("first", index=2)
    interleaved = [second[0], first[0], second[1], first[1], first[2], second[2]]
    turn = api.ask(scripted.prompt(wire(START, *interleaved, *end())))
    assert [each["text"] for each in turn["messages"][0]["content"]] == ["first", "second"]


def test_an_answer_that_began_with_whole_blocks_is_kept_whole(api: Api) -> None:
    given = scripted.start(content=[{"type": "text", "text": "before"}])
    turn = api.ask(scripted.prompt(wire(given, *text("after"), *end())))
    assert [each["text"] for each in turn["messages"][0]["content"]] == ["before", "after"]


def test_an_absent_field_of_a_message_delta_replaces_nothing(api: Api) -> None:
    later = [
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 7}},
        {"type": "message_delta", "delta": {"stop_reason": None}},
        {"type": "message_delta", "usage": {"output_tokens": None}},
    ]
    last = end("stop_sequence", stop_sequence="END")
    turn = api.ask(scripted.prompt(wire(START, *text("so"), last[0], *later, STOP)))
    assert (turn["stop_reason"], turn["stop_sequence"]) == ("stop_sequence", "END")
    assert (turn["usage"]["input_tokens"], turn["usage"]["output_tokens"]) == (12, 7)
