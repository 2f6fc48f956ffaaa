"""How a batch of events is encoded for SSE and for plain tokens, and what ends a stream that breaks off."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.api import sse_stream
from conversations.api.sse_stream import COMMENT, as_events, as_tokens, event_stream
from conversations.content.transcript import Batch
from conversations.errors import Deleted, RateLimited

TURN = uuid.UUID("01a208ce-7785-7206-a202-3517d745131f")


def delta(text: str, kind: str = "text_delta", name: str = "text") -> Any:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": kind, name: text}}


def ended(status: str) -> Any:
    return {"type": "turn_end", "status": status, "stop_reason": "end_turn"}


ERROR: Any = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}


def batch(*events: Any, start: int = 0) -> Batch:
    return Batch.of(str(TURN), start, [*events])


def parsed(parts: list[bytes]) -> list[dict[str, str]]:
    """Return the fields of each server-sent event."""
    texts = b"".join(parts).decode().removesuffix("\n\n").split("\n\n")
    return [dict(line.split(": ", 1) for line in text.split("\n")) for text in texts if text]


def test_an_event_has_its_name_its_data_and_then_its_position() -> None:
    """The id comes last: a client that remembers the id has received the data."""
    parts = as_events(batch({"type": "message_start", "message": {}}, delta("Größe"), start=10))
    assert b"".join(parts).decode().splitlines()[0] == "event: message_start"
    first, second = parsed(parts)
    assert list(first) == list(second) == ["event", "data", "id"]
    assert (first["id"], second["id"]) == ("11", "16")
    assert json.loads(second["data"]) == {
        "type": "content_block_delta",
        "turn": str(TURN),
        "position": 16,
        "index": 0,
        "delta": {"type": "text_delta", "text": "Größe"},
    }


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ([delta("Hel"), delta("lo")], [{"token": "Hello"}]),
        ([delta("Hm", "thinking_delta", "thinking")], []),
        ([delta("{}", "input_json_delta", "partial_json")], []),
        ([{"type": "message_stop"}, {"type": "ping"}], []),
        ([delta("x"), ERROR], [{"token": "x"}, {"error": "Busy"}]),
        ([delta("x"), ended("completed")], [{"token": "x"}, {"done": True}]),
        ([ended("cancelled")], [{"done": True}]),
        ([ended("interrupted")], [{"done": True}]),
        ([ERROR, ended("failed")], [{"error": "Busy"}]),
    ],
    ids=[
        "text",
        "thinking",
        "the input of a tool",
        "what is no text",
        "an error",
        "the end",
        "the end by a stop",
        "the end by a crash",
        "the end by an error",
    ],
)
def test_in_tokens_there_is_text_and_how_it_ended(events: list[Any], lines: list[Any]) -> None:
    found = [json.loads(each["data"]) for each in parsed(as_tokens(batch(*events)))]
    assert found == lines


@given(st.lists(st.integers(0, 3 * sse_stream.AT_ONCE), max_size=12))
def test_parts_are_few_and_none_is_much_longer_than_is_sent_at_once(sizes: list[int]) -> None:
    deltas = [delta("x" * size, name=f"f{at}", kind="x") for at, size in enumerate(sizes)]
    frames = batch(*deltas).frames
    parts = as_events(batch(*deltas))
    assert len(parsed(parts)) == len(frames)
    longest = max((len(frame.data) for frame in frames), default=0) + 100
    assert all(len(part) <= max(sse_stream.AT_ONCE, longest) for part in parts)
    assert all(len(a) + len(b) > sse_stream.AT_ONCE for a, b in pairwise(parts))


class Following:
    """A transcript whose batches are given, None for a pause, and which may end with an error."""

    def __init__(self, *batches: Batch | None, error: Exception | None = None) -> None:
        self._batches, self._error = batches, error
        self.asked: tuple[Any, ...] = ()

    async def __call__(self, id: uuid.UUID, after: int, *, beat: float) -> AsyncIterator[Batch | None]:
        self.asked = id, after, beat
        for each in self._batches:
            yield each
        if self._error:
            raise self._error


async def body(following: Following, form: Any = as_events, after: int = 0, kind: str = "turn") -> bytes:
    stream = event_stream(TURN, after, form, kind, following)
    assert stream.headers["Content-Type"] == "text/event-stream"
    return b"".join([part async for part in stream.body])


async def test_a_stream_begins_at_its_position_and_says_something_in_each_silence() -> None:
    following = Following(None, batch(delta("x"), start=7), None, batch(ended("completed"), start=8))
    found = await body(following, after=7)
    assert following.asked == (TURN, 7, sse_stream.KEEP_ALIVE)
    assert found.startswith(COMMENT)
    assert found.count(COMMENT) == 2
    assert [each["id"] for each in parsed([found.replace(COMMENT, b"")])] == ["8", "9"]


async def test_what_breaks_off_says_why_and_at_which_position_without_an_id() -> None:
    """Without an id on the error event, a client resumes at the last event that it received."""
    following = Following(batch(delta("xyz")), None, error=Deleted())
    last = parsed([(await body(following)).replace(COMMENT, b"")])[-1]
    assert list(last) == ["event", "data"]
    error = {"type": "not_found_error", "message": Deleted().message}
    assert json.loads(last["data"]) == {"type": "error", "turn": str(TURN), "position": 3, "error": error}


async def test_what_breaks_off_before_it_began_is_at_the_position_that_was_asked_for() -> None:
    following = Following(error=RateLimited("Slow"))
    [last] = parsed([await body(following, after=5, kind="extraction")])
    assert json.loads(last["data"])["position"] == 5
    assert json.loads(last["data"])["extraction"] == str(TURN)


async def test_in_tokens_it_says_why_as_well() -> None:
    following = Following(batch(delta("x")), error=RateLimited("Slow"))
    lines = [json.loads(each["data"]) for each in parsed([await body(following, as_tokens)])]
    assert lines == [{"token": "x"}, {"error": "Slow"}]


async def test_an_error_of_ours_is_no_last_word() -> None:
    with pytest.raises(KeyError):
        await body(Following(error=KeyError("x")))
