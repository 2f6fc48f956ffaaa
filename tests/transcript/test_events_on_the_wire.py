"""The decoder of server-sent events gives the same events, however the bytes are split into chunks."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from conversations.claude.sse_decoder import Decoder, ServerSentEvent, events_in

TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)
EVENTS = st.lists(st.tuples(st.sampled_from(["message_start", "ping", "x"]), TEXT), max_size=6)


def decoded(chunks: list[bytes]) -> list[ServerSentEvent]:
    decoder = Decoder()
    return [event for chunk in chunks for event in events_in(decoder.take(chunk))]


@given(EVENTS, st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, 400), max_size=12))
def test_chunks_do_not_matter(events: list[tuple[str, str]], newline: str, cuts: list[int]) -> None:
    lines = [f": hello{newline}event: {name}{newline}data: {data}{newline}{newline}" for name, data in events]
    wire = "".join(lines).encode()
    places = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    chunks = [wire[start:end] for start, end in pairwise(places)]
    assert decoded(chunks) == [ServerSentEvent(name.encode(), data.encode()) for name, data in events]


def test_an_empty_chunk_between_the_halves_of_a_line_end_is_nothing() -> None:
    assert decoded([b"event: a\r", b"", b"\ndata: 1\r\n\r\n"]) == [(b"a", b"1")]


def test_what_is_not_ended_by_a_blank_line_is_no_event() -> None:
    assert decoded([b"event: ping\ndata: {}\n"]) == []


def test_data_on_several_lines_is_one() -> None:
    assert decoded([b"event: a\ndata: 1\ndata:2\n\n"]) == [ServerSentEvent(b"a", b"1\n2")]


def test_an_event_without_data_is_skipped_and_one_without_a_name_is_a_message() -> None:
    assert decoded([b"data: 1\n\nevent: a\n\n\n\n: only a comment\n\n"]) == [(b"message", b"1")]
