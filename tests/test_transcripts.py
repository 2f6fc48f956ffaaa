"""The law of transcripts: cut anywhere and merged anyhow, they fold to the same messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anthropic.types.beta
import httpx2
import jiter
import pytest
from anthropic._models import construct_type_unchecked
from anthropic.lib.streaming._beta_messages import accumulate_event
from hypothesis import given
from hypothesis import strategies as st

from conversations.content.folding import fold, unreadable_input
from conversations.content.transcript import Batch, Event, cut, joined, length, merge, placed, span
from tests import streams

UNSPLICED = [path for path in streams.WHOLE if "spliced" not in path.stem]
"""Of two messages in one stream the SDK mixes the blocks up."""

EVENT: Any = anthropic.types.beta.BetaRawMessageStreamEvent


def texts(kind: str, key: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda text: {"type": kind, key: text}, st.text(max_size=6))


DELTAS = st.one_of(
    texts("text_delta", "text"),
    texts("thinking_delta", "thinking"),
    texts("input_json_delta", "partial_json"),
    st.just({"type": "signature_delta", "signature": "s"}),
    st.just({"type": "delta_of_tomorrow", "light": "text"}),
)
BLOCKS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"type": "text", "text": ""},
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "tool_use", "id": "t", "name": "n", "input": {}},
        {"type": "hologram", "shape": "sphere"},
    ]
)


@st.composite
def transcripts(draw: st.DrawFn) -> list[Event]:
    events: list[Event] = [{"type": "message_start", "message": {"role": "assistant", "content": []}}]
    for index, block in enumerate(draw(st.lists(BLOCKS, max_size=4))):
        events.append({"type": "content_block_start", "index": index, "content_block": dict(block)})
        for delta in draw(st.lists(DELTAS, max_size=6)):
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
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


@streams.needed
@pytest.mark.parametrize("path", streams.WHOLE + streams.BROKEN, ids=streams.ids(streams.WHOLE + streams.BROKEN))
def test_a_recording_can_be_cut_at_every_position(path: Path) -> None:
    events = streams.events_in(path)
    whole = fold(events)
    total = span(events)
    for position in range(0, total + 1, max(1, total // 400)):
        before, after = cut(events, position)
        assert fold(merge(before) + merge(after)) == whole


@streams.needed
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("path", UNSPLICED, ids=streams.ids(UNSPLICED))
def test_a_recording_folds_to_what_the_sdk_accumulates(path: Path) -> None:
    events = streams.events_in(path)
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in events:
        snapshot = accumulate_event(
            event=construct_type_unchecked(type_=EVENT, value=event),
            current_snapshot=snapshot,
            json_bufs=buffers,
            request_headers=httpx2.Headers(),
        )
    theirs = json.loads(json.dumps(snapshot.to_dict(), default=str))
    [ours] = fold(events)
    assert without_nulls(as_read_by_sdk(ours.content)) == without_nulls(theirs["content"])
    assert (ours.stop_reason, ours.stop_sequence) == (theirs["stop_reason"], theirs["stop_sequence"])
    assert without_nulls(ours.usage) == without_nulls(theirs["usage"])


def as_read_by_sdk(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The SDK makes what it can of an input that was cut; we keep it as it came."""
    return [
        block
        if (text := unreadable_input(block)) is None
        else {**block, "input": jiter.from_json(text.encode(), partial_mode=True)}
        for block in content
    ]


def without_nulls(value: Any) -> Any:
    """The SDK's objects have every field that they know, null or not."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value
