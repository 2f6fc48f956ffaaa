"""A surrogate pair that is split over two deltas becomes one character, in every kind of string."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.claude.stream_events import EventChecker
from conversations.content.folding import fold
from conversations.content.transcript import span
from tests.scripted import DELTAS, START, block, end, said


def admitted(events: list[Any]) -> list[Any]:
    checker = EventChecker()
    return [each for event in events for each in checker.admit(event)]


@given(
    st.text("a🎉é\udf89\ud83c", max_size=12),
    st.lists(st.integers(0, 24), max_size=4),
    st.sampled_from(list(DELTAS)),
)
def test_however_text_is_cut_into_utf16_it_comes_out_the_same(string: str, cuts: list[int], kind: str) -> None:
    units = string.encode("utf-16-le", "surrogatepass")
    borders = sorted({0, len(units), *(2 * cut for cut in cuts if 2 * cut < len(units))})
    pieces = [units[a:b].decode("utf-16-le", "surrogatepass") for a, b in pairwise(borders)]
    whole, cut = (admitted([START, *said(kind, *each), *end()]) for each in ([string], pieces))
    assert fold(whole) == fold(cut)
    assert span(whole) == span(cut)


@pytest.mark.parametrize("kind", ["text", "thinking"])
@pytest.mark.parametrize(
    ("rest", "known"),
    [("\udf89 now", "party 🎉 now"), ("now", "party \ufffdnow"), (None, "party \ufffd")],
)
def test_the_first_half_may_come_with_the_beginning_of_the_block(kind: str, rest: str | None, known: str) -> None:
    begun, delta, key = DELTAS[kind]
    deltas = [{"type": delta, key: rest}] if rest else []
    [message] = fold(admitted([START, *block(0, {**begun, key: "party \ud83c"}, *deltas), *end()]))
    assert message.content[0].get(key) == known
