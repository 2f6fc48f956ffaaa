"""The law of transcripts: cut anywhere and merged anyhow, they fold to the same messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.content.folding import fold
from conversations.content.transcript import Batch, cut, joined, length, merge, placed, span
from conversations.contract.transcript_events import Event
from tests import streams


def texts(kind: str, key: str) -> st.SearchStrategy[Any]:
    return st.builds(lambda text: {"type": kind, key: text}, st.text(max_size=6))


DELTAS = st.one_of(
    texts("text_delta", "text"),
    texts("thinking_delta", "thinking"),
    texts("input_json_delta", "partial_json"),
    st.just({"type": "signature_delta", "signature": "s"}),
    st.just({"type": "delta_of_tomorrow", "light": "text"}),
)
BLOCKS: st.SearchStrategy[Any] = st.sampled_from(
    [
        {"type": "text", "text": ""},
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "tool_use", "id": "t", "name": "n", "input": {}},
        {"type": "hologram", "shape": "sphere"},
    ]
)


@st.composite
def transcripts(draw: st.DrawFn) -> list[Event]:
    events: list[Any] = [{"type": "message_start", "message": {"role": "assistant", "content": []}}]
    for index, block in enumerate(draw(st.lists(BLOCKS, max_size=4))):
        events.append({"type": "content_block_start", "index": index, "content_block": dict(block)})
        for delta in draw(st.lists(DELTAS, max_size=6)):
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    events += [{"type": "partial", "data": number} for number in range(draw(st.integers(0, 3)))]
    return [*events, {"type": "message_stop"}]


@given(transcripts(), st.integers(0, 60))
def test_a_cut_transcript_folds_to_the_same(events: list[Event], position: int) -> None:
    before, after = cut(events, position)
    assert fold(before + after) == fold(events)
    assert span(before) == min(position, span(events))
    assert span(before) + span(after) == span(events)


@given(transcripts())
def test_a_merged_transcript_folds_to_the_same_at_the_same_positions(events: list[Event]) -> None:
    merged = merge(events)
    assert fold(merged) == fold(events)
    assert span(merged) == span(events)
    assert all(length(event) > 0 for event in merged)
    assert {position for position, _ in placed(merged, 0)} <= {position for position, _ in placed(events, 0)}


@given(transcripts(), st.integers(0, 60))
def test_of_snapshots_the_newest_is_left_on_either_side_of_a_cut(events: list[Event], position: int) -> None:
    def newest(some: list[Event]) -> list[Any]:
        return [event["data"] for event in merge(some) if event["type"] == "partial"][-1:]

    before, after = cut(merge(events), position)
    assert newest(before + after) == newest(events)
    assert newest(after) in ([], newest(events))


@given(transcripts(), st.integers(0, 60), st.integers(0, 60))
def test_batches_divided_anyhow_join_to_the_whole(events: list[Event], one: int, two: int) -> None:
    whole = Batch.of("turn", 0, events)
    first, second = sorted((min(one, whole.end), min(two, whole.end)))
    parts = [
        Batch.of("turn", 0, cut(whole.events, first)[0]),
        Batch.of("turn", first, cut(whole.past(first).events, second - first)[0]),
        whole.past(second),
    ]
    assert joined(parts).events == whole.events
    assert joined(parts).end == whole.end


@pytest.mark.parametrize("path", streams.WHOLE + streams.BROKEN, ids=streams.ids(streams.WHOLE + streams.BROKEN))
def test_a_recording_can_be_cut_at_every_position(path: Path) -> None:
    events = streams.events_in(path)
    merged, whole = merge(events), fold(events)
    for position in evenly(span(events), 100):
        before, after = cut(merged, position)
        assert fold(before + after) == whole
    for position in evenly(span(events), 10):
        before, after = cut(events, position)
        assert (merge(before), merge(after)) == cut(merged, position)


def evenly(end: int, number: int) -> range:
    """Return all positions up to `end`, or about `number` evenly spaced ones if there are more."""
    return range(0, end + 1, max(1, end // number))
