"""Streams are read alike, however they are spelt and however their bytes are cut into chunks."""

from __future__ import annotations

import pytest

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
