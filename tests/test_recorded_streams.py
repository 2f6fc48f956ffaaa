"""Every recorded stream, sent by an HTTP server through the real SDK, ends as a stored message."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from conversations.content.folding import fold
from conversations.models import Message, Turn, Usage
from conversations.sandbox.server import Sandbox
from tests import streams
from tests.clients import Api

ANSWERS = [path for path in streams.WHOLE if path.stem != "pause_turn"]
"""The recordings after which the platform sends no further request to Claude."""


@pytest.fixture
def replayed(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Path]:
    sandbox.replay = request.param.read_bytes()
    sandbox.replay_chunk = 1000
    yield request.param
    sandbox.replay = None


@pytest.fixture
def api(somebody: Api) -> Api:
    """Provide one user for the whole file: creating one takes longer than most of its tests."""
    return somebody


def run(api: Api) -> Turn:
    conversation = api.conversation()
    api.post(f"conversations/{conversation}/turns/?wait=true", {"content": "Hello"})
    return Turn.objects.get(conversation=uuid.UUID(conversation))


@pytest.mark.parametrize("replayed", ANSWERS, ids=streams.ids(ANSWERS), indirect=True)
def test_a_recording_is_stored_as_it_folds(api: Api, replayed: Path) -> None:
    turn = run(api)
    [expected] = fold(streams.events_in(replayed))
    message = Message.objects.get(turn=turn, role="assistant")
    assert message.content == expected.content
    assert message.stop_reason == turn.stop_reason == expected.stop_reason
    ended = "awaiting_tools" if turn.stop_reason == "tool_use" else "completed"
    assert turn.status == (ended if streams.stops(replayed) else "failed")
    usage = Usage.objects.get(turn=turn)
    assert usage.source == ("provider" if streams.stops(replayed) else "estimate")
    assert usage.raw.items() >= {key: value for key, value in expected.usage.items() if key != "output_tokens"}.items()
    assert turn.stop_details == expected.stop_details


@pytest.mark.parametrize("replayed", streams.BROKEN, ids=streams.ids(streams.BROKEN), indirect=True)
def test_a_broken_recording_keeps_what_came(api: Api, replayed: Path) -> None:
    turn = run(api)
    assert turn.status == "failed"
    expected = fold(streams.events_in(replayed))
    messages = Message.objects.filter(turn=turn)
    assert [message.content for message in messages] == [message.content for message in expected]
    assert Usage.objects.filter(turn=turn, source="estimate").count() == max(1, len(expected))
    assert turn.error["type"] == (
        "overloaded_error" if "overloaded" in replayed.stem or "first" in replayed.stem else "api_error"
    )
    # The conversation goes on.
    conversation = str(turn.conversation_id)
    sandbox_is_back = api.http.post(f"/api/conversations/{conversation}/turns/", json={"content": "Again"})
    assert sandbox_is_back.status_code == 201
