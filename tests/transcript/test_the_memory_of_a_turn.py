"""The committed part of a running turn, and nothing else of it, is read from memory at any position."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.content.transcript import Batch, cut, merge, string_delta
from conversations.streaming.live import SEPARATE, LiveTranscript
from conversations.streaming.wakes import Wakes, notification_payload, wait_for_news

TURN = uuid.UUID("01a208ce-7785-7206-a202-3517d745131f")
START: Any = {"type": "message_start", "message": {}}
END: Any = {"type": "turn_end", "status": "completed"}


def live(*batches: list[Any]) -> LiveTranscript:
    transcript = LiveTranscript(TURN, fence=1)
    for events in batches:
        transcript.pending = [*events]
        transcript.show(transcript.take())
    return transcript


events = st.sampled_from([START, {"type": "ping"}]) | st.builds(
    string_delta, st.integers(0, 1), st.just("text_delta"), st.text("abc", min_size=1, max_size=5)
)


@given(st.lists(st.lists(events, min_size=1, max_size=3), max_size=3 * SEPARATE), st.data())
def test_it_is_the_same_at_any_position_however_it_was_committed(batches: list[Any], data: st.DataObject) -> None:
    transcript = live(*batches)
    whole = Batch.of(str(TURN), 0, [event for batch in batches for event in batch])
    assert transcript.position == whole.end
    position = data.draw(st.integers(0, whole.end + 1))
    found = transcript.since(position)
    if position >= whole.end:
        assert found is None
        return
    assert found is not None
    assert (found.turn, found.start, found.end) == (str(TURN), position, whole.end)
    assert merge(found.events) == merge(cut(whole.events, position)[1])


@given(st.integers(1, 100))
def test_only_a_few_batches_are_kept_apart(number: int) -> None:
    transcript = live(*[[START]] * number)
    assert len(transcript.committed) <= SEPARATE
    assert [batch.start for batch in transcript.committed[1:]] == [batch.end for batch in transcript.committed[:-1]]
    assert transcript.committed[-1].end == number


def test_what_is_pending_is_taken_whole_and_not_seen_before_it_is_shown() -> None:
    transcript = live([START])
    transcript.kind = "extraction"
    transcript.pending, transcript.waiting = [string_delta(0, "text_delta", "a"), string_delta(0, "text_delta", "b")], 2
    batch = transcript.take()
    assert (batch.turn, batch.kind, batch.start, batch.end) == (str(TURN), "extraction", 1, 3)
    assert (transcript.pending, transcript.waiting, transcript.flushing) == ([], 0, True)
    assert transcript.since(1) is None
    transcript.show(batch)
    assert transcript.since(1) is batch


def test_it_has_ended_with_its_last_event() -> None:
    assert not live().ended
    assert not live([START]).ended
    assert live([START, END]).ended
    assert live([START], [END]).ended


def test_it_is_over_where_it_was_lost_or_can_not_be_stored() -> None:
    transcript = live([START])
    assert not transcript.over
    transcript.pending, transcript.waiting = [START], 1
    transcript.fail("The disk is full.")
    assert transcript.over
    assert (transcript.pending, transcript.waiting) == ([], 0)
    assert str(transcript.failure) == "What Claude said could not be stored. The disk is full."
    other = live([START])
    other.lost = True
    assert other.over


def test_readers_of_one_batch_share_what_was_encoded_until_another_one_comes() -> None:
    transcript = live([START])
    frames = transcript.committed[0].frames
    assert transcript.committed[0].frames is frames
    transcript.pending = [END]
    transcript.show(transcript.take())
    assert transcript.committed[0].frames is not frames
    assert transcript.committed[0].frames == frames


async def test_a_change_is_waited_for_from_now_on() -> None:
    transcript = live([START])  # which has been taken before
    waiting = asyncio.create_task(transcript.change())
    await asyncio.sleep(0)
    assert not waiting.done()
    transcript.take()
    await asyncio.wait_for(waiting, 10)


def test_who_waits_is_woken_by_the_id_and_only_while_they_wait() -> None:
    wakes, other = Wakes(), uuid.uuid4()
    with wakes.waiting(TURN) as first, wakes.waiting(TURN) as second, wakes.waiting(other) as third:
        wakes.wake([TURN, uuid.uuid4()])
        assert [event.is_set() for event in (first, second, third)] == [True, True, False]
        first.clear()
    with wakes.waiting(other) as later:
        wakes.wake([TURN])
        assert not first.is_set()
        wakes.wake_all()
        assert later.is_set()
        assert not third.is_set() or third is not later


async def test_news_are_waited_for_no_longer_than_so_long() -> None:
    news = asyncio.Event()
    assert await wait_for_news(news, 0.001) is False
    news.set()
    assert await wait_for_news(news, None) is True
    assert await wait_for_news(news, 10) is True


@pytest.mark.parametrize("number", [0, 1, 200])
def test_a_notification_fits_into_what_postgres_takes(number: int) -> None:
    """A notification of Postgres has less than 8,000 bytes."""
    ids = [uuid.uuid4() for _ in range(number)]
    kind, *told = notification_payload("conversation", *ids).split(" ")
    assert kind == "conversation"
    assert [uuid.UUID(each) for each in told] == ids
    assert len(notification_payload("conversation", *ids)) < 8000
