"""A reader that waits for a turn is woken by its news, whichever process runs it, and by a timeout."""

from __future__ import annotations

import asyncio
import uuid

from conversations.content.transcript import Batch
from conversations.streaming.wakes import IdleTimer, Wakes


def test_a_silence_is_told_again_and_again() -> None:
    async def silences() -> None:
        event = asyncio.Event()
        with IdleTimer(event, 0.01) as idle:
            for _ in range(3):
                await asyncio.wait_for(event.wait(), 10)
                assert idle.expired
                event.clear()
                idle.restart()

    asyncio.run(silences())


def test_a_restart_begins_the_time_anew_and_without_seconds_it_never_runs_out() -> None:
    async def expired() -> list[bool]:
        event = asyncio.Event()
        with IdleTimer(event, 1000) as long, IdleTimer(event, None) as endless:
            long.restart()
            return [long.expired, endless.expired, event.is_set()]

    assert asyncio.run(expired()) == [False, False, False]


def test_readers_are_woken_when_a_turn_comes_here_and_when_it_leaves() -> None:
    wakes, turn = Wakes(), uuid.uuid4()
    with wakes.waiting(turn) as news, wakes.waiting(uuid.uuid4()) as other:
        for step in (wakes.own, wakes.disown):
            step(turn)
            assert news.is_set()
            news.clear()
        assert not other.is_set()


def test_what_was_encoded_is_made_again_where_it_is_needed() -> None:
    batch = Batch.of("turn", 0, [{"type": "ping"}, {"type": "message_stop"}])
    frames, size = batch.frames, batch.in_form(lambda each: len(each.frames))
    batch.forget_encoded()
    assert batch.frames == frames
    assert batch.frames is not frames
    assert batch.in_form(lambda each: len(each.frames)) == size == 2
