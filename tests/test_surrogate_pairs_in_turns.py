"""A surrogate pair that is split over two deltas becomes one character; a lone surrogate becomes U+FFFD."""

from __future__ import annotations

import pytest

from tests import scripted
from tests.clients import Api
from tests.scripted import START, end, said, text, wire


@pytest.mark.parametrize("kind", ["text", "thinking"])
def test_halves_become_one_character(api: Api, kind: str) -> None:
    turn = api.ask(scripted.prompt(wire(START, *said(kind, "party \ud83c", "\udf89 now"), *end())))
    assert turn["messages"][0]["content"][0][kind] == "party 🎉 now"
    last = api.events(turn["id"])[-1]
    assert last["position"] == turn["position"] == 2 + 1 + len("party 🎉 now") + 4


def test_halves_in_a_tools_input_become_one_character(api: Api) -> None:
    conversation = api.conversation(tools=[{"name": "f", "input_schema": {"type": "object"}}])
    events = said("input", '{"a": "\ud83c', '\udf89"}')
    turn = api.ask(scripted.prompt(wire(START, *events, *end("tool_use"))), conversation)
    assert (turn["status"], turn["messages"][0]["content"][0]["input"]) == ("awaiting_tools", {"a": "🎉"})


@pytest.mark.parametrize("ending", ["block", "message", "cut"])
def test_an_open_half_at_the_end_is_the_replacement_character(api: Api, ending: str) -> None:
    events = said("text", "party \ud83c")
    parts: dict[str, list[str | float | None]] = {
        "block": [wire(START, *events, *end())],
        "message": [wire(START, *events[:-1], *end())],
        "cut": [wire(START, *events[:-1]), 0.05, None],
    }
    turn = api.ended(api.begin(scripted.prompt(*parts[ending]))["id"])
    assert turn["status"] == ("failed" if ending == "cut" else "completed")
    assert turn["messages"][0]["content"][0]["text"] == "party \ufffd"


def test_halves_of_two_blocks_are_kept_apart(api: Api) -> None:
    one, two = said("text", "a\ud83c", "\udf89", index=0), said("text", "b\ud83d", "\ude00", index=1)
    events = [one[0], two[0], one[1], two[1], two[2], one[2], two[3], one[3]]
    turn = api.ask(scripted.prompt(wire(START, *events, *end())))
    assert [each["text"] for each in turn["messages"][0]["content"]] == ["a🎉", "b😀"]


def test_a_lone_half_elsewhere_is_replaced_too(api: Api) -> None:
    odd = {"type": "event_of_tomorrow", "\ud83c": ["\udf89"]}
    turn = api.ask(scripted.prompt(wire(START, odd, *text("\udf89 b\ud83cc"), *end())))
    assert turn["messages"][0]["content"][0]["text"] == "\ufffd b\ufffdc"
    assert api.events(turn["id"])[2]["\ufffd"] == ["\ufffd"]
