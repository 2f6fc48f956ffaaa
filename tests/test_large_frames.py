"""A user's large frame is validated once, and not on the event loop that serves everybody."""

from __future__ import annotations

import threading

from conversations.ws import frames
from tests.clients import Api


async def test_only_what_is_small_is_checked_on_the_loop() -> None:
    here = threading.get_ident()

    def thread_of(value: object) -> int:
        return threading.get_ident()

    assert await frames.off_the_loop(thread_of, "x", size=frames.LARGE) == here
    assert await frames.off_the_loop(thread_of, "x", size=frames.LARGE + 1) != here


def test_a_large_frame_begins_a_turn(api: Api) -> None:
    conversation = api.conversation()
    with api.socket() as socket:
        socket.send(type="turn.create", ref=7, conversation=conversation, content="word " * 30_000)
        created = socket.until("turn.created")[-1]
        assert created["ref"] == 7
        assert socket.until("turn_end")[-1]["status"] == "completed"


def test_what_is_wrong_with_a_large_frame_is_told_with_its_reference(api: Api) -> None:
    with api.socket() as socket:
        socket.send(type="turn.create", ref=8, conversation=api.conversation(), content=[{"type": "x" * 100_000}])
        error = socket.receive()
    assert (error["type"], error["ref"], error["error"]["type"]) == ("error", 8, "invalid_request_error")
