"""Recorded streams fold to the same messages as Claude's own SDK makes of them."""

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

from conversations.content.folding import fold, unreadable_input
from tests import streams

UNSPLICED = [path for path in streams.WHOLE if "spliced" not in path.stem]
"""Recordings with two messages in one stream, whose blocks the SDK mixes up."""

EVENT: Any = anthropic.types.beta.BetaRawMessageStreamEvent


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


def as_read_by_sdk(content: list[Any]) -> list[Any]:
    """Return the content with incomplete tool inputs parsed as the SDK does; we keep them as text."""
    return [
        block
        if (text := unreadable_input(block)) is None
        else {**block, "input": jiter.from_json(text.encode(), partial_mode=True)}
        for block in content
    ]


def without_nulls(value: Any) -> Any:
    """Return a value without null fields: the SDK's objects have every field, null or not."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value
