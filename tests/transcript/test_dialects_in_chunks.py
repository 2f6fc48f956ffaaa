"""Streams are read alike, however they are spelt and however their bytes are split into chunks."""

from __future__ import annotations

import time

import pytest

from conversations.claude.sse_decoder import Decoder
from conversations.claude.stream_reader import AnswerReader
from conversations.content.folding import fold
from tests.dialects import DIALECTS


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_is_read_in_chunks_of_any_size(dialect: str, size: int) -> None:
    reader, body = AnswerReader(), DIALECTS[dialect].encode()
    events = [event for at in range(0, len(body), size) for event in reader.feed(body[at : at + size])]
    [message] = fold(events + reader.end())
    assert reader.trouble is None
    assert message.content == [{"type": "text", "text": "Hello 日本 🎉"}]


def test_an_event_in_twice_as_many_chunks_takes_about_twice_as_long_to_read() -> None:
    """A result of Claude's own tools is one event with a whole document, during which other streams must go on."""

    def seconds(chunks: int) -> float:
        decoder, began = Decoder(), time.process_time()
        assert not any(decoder.take(bytes(1000)) for _ in range(chunks))
        assert len(decoder.take(b"\n\n")) == chunks * 1000 + 2
        return time.process_time() - began

    assert min(seconds(8000) for _ in range(3)) < 10 * min(seconds(2000) for _ in range(3))
