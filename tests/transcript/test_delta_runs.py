"""Runs of deltas that are parsed at once give the same events as one by one."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.claude.delta_runs import joined_run
from conversations.claude.stream_reader import AnswerReader
from conversations.content.transcript import merge
from conversations.contract.transcript_events import Event
from tests.scripted import START, wire

BEGIN = [
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "thinking", "thinking": ""}},
]
HEAD = wire(START, *BEGIN).encode()
CHARACTERS = st.text(st.characters(codec=None, categories=None) | st.sampled_from('"\\/\n\t{}\ud83d\ude00é日🎉'))


def delta(string: str, kind: str = "text", index: int = 0, *, spaces: bool = False, escaped: bool = True) -> str:
    """Return a delta in Claude's format: with spaces before the last bracket, or after commas and colons."""
    event = {"type": "content_block_delta", "index": index, "delta": {"type": f"{kind}_delta", kind: string}}
    escaped = escaped or any("\ud800" <= character <= "\udfff" for character in string)
    data = json.dumps(event, ensure_ascii=escaped, separators=(", ", ": ") if spaces else (",", ":"))
    return f"event: content_block_delta\ndata: {data if spaces else data[:-1] + '   }'}\n\n"


def outcome(answer: str, cuts: list[int] | None = None, *, singly: bool = False) -> tuple[list[Event], str]:
    """Return the events and the error of an answer; `singly` has it in a form that is parsed event by event."""
    reader = AnswerReader()
    whole = HEAD + (answer.replace("data:", "id: 1\ndata:") if singly else answer).encode()
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts or ()), len(whole)]
    events: list[Event] = []
    for start, end in pairwise(places):
        events += [] if reader.trouble else reader.feed(whole[start:end])
    return merge(events), str(reader.trouble)


STRINGS = st.lists(
    st.builds(
        delta,
        CHARACTERS,
        st.sampled_from(["text", "text", "thinking"]),
        st.sampled_from([0, 0, 0, 1]),
        spaces=st.booleans(),
        escaped=st.booleans(),
    )
)


@given(STRINGS, st.lists(st.integers(200, 3000)))
def test_a_run_of_deltas_is_read_as_each_of_them_is(deltas: list[str], cuts: list[int]) -> None:
    answer = "".join(deltas)
    assert outcome(answer, cuts) == outcome(answer, singly=True)


PLAIN = delta("Hello")
ODD = {
    "a string that does not end": PLAIN.replace('Hello"', 'Hello\\"'),
    "an escape that there is not": PLAIN.replace("Hello", "\\x"),
    "half an escape": PLAIN.replace("Hello", "\\u12") + PLAIN.replace("Hello", "34"),
    "half a character": delta("\ud83d") + delta("\ude00"),
    "a raw line end": PLAIN.replace("Hello", "\t"),
    "an index with a zero before it": PLAIN.replace('"index":0', '"index":00'),
    "a block that has not begun": delta("Hello", index=7),
    "a delta of another kind of block": delta("Hello", kind="thinking"),
    "a kind that nobody knows": delta("Hello", kind="hologram") * 2,
    "another field": PLAIN.replace('"index"', '"more":1,"index"'),
    "the field of another kind": PLAIN.replace('"text":', '"thinking":'),
    "a field twice": PLAIN.replace('"text":"Hello"', '"text":"a","text":"b"'),
    "two objects": PLAIN.replace("\n\n", "{}\n\n"),
    "another line before it": f": comment\n{PLAIN}",
    "an event between": PLAIN + wire({"type": "ping"}) + PLAIN,
    "one that is cut": PLAIN + PLAIN[:-1],
    "a string without its end": PLAIN.replace('Hello"}   }', "}}"),
    "one without a string": PLAIN.replace('"Hello"}   }', "}}"),
    "another end": PLAIN.replace("   }", "   ]"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_run_is_read_event_by_event(name: str) -> None:
    for answer in (ODD[name], PLAIN + ODD[name]):
        assert outcome(answer, [len(HEAD)]) == outcome(answer, singly=True)


@pytest.mark.parametrize("form", [{}, {"spaces": True}, {"escaped": False}])
def test_deltas_as_claude_sends_them_are_a_run(form: dict[str, Any]) -> None:
    strings = ["Hello", ' \n"日本" \\', "🎉", ""]
    deltas = "".join(delta(string, **form) for string in strings)
    for sent in (deltas, deltas.replace("}   }", "} }", 1), deltas.replace("}   }", "}}", 2)):
        run = joined_run(sent.encode())
        assert run is not None
        assert run["delta"]["text"] == "".join(strings)
