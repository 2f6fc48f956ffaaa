"""When a process dies or outlives its lease, its turns end with all committed text, and it writes nothing more."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from conversations.content.folding import fold
from conversations.content.transcript import cut
from conversations.models import Turn, Usage
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess
from tests.waiting import until

LEASE = 2


@pytest.fixture
def doomed(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a process with a short lease, to be killed or stopped by a test."""
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_LEASE=str(LEASE)) as process:
        yield process
        if process.process.poll() is None:
            process.process.send_signal(signal.SIGCONT)


@pytest.fixture
def user(doomed: ServerProcess) -> Iterator[Api]:
    """Provide a user of that process."""
    with Api(doomed.url) as client:
        yield client


def ended(turn: str) -> Turn:
    """Wait until a process has settled the turn, and return it."""
    until(lambda: Turn.objects.get(pk=turn).ended)
    return Turn.objects.get(pk=turn)


def test_a_killed_process_leaves_its_turn_interrupted_with_what_was_seen_and_what_waited_behind_it_is_done(
    api: Api, doomed: ServerProcess, user: Api
) -> None:
    conversation = user.conversation()
    id = user.begin("[[sandbox: words=500; pace=0.02]]", conversation)["id"]
    waiting = [user.begin(word, conversation, on_active="queue")["id"] for word in ("One", "Two")]
    seen = user.events(id, limit=20)
    doomed.kill()
    turn = ended(id)
    assert turn.status == "interrupted"
    [piece] = turn.pieces.all()
    assert fold(cut(piece.events, seen[-1]["position"])[0]) == fold(seen)
    [message] = turn.messages.all()
    assert message.text.startswith(fold(seen)[0].content[0]["text"])
    usage = Usage.objects.get(turn=turn)
    assert usage.source == "estimate"
    assert usage.input_tokens > 0
    assert usage.output_tokens > 5
    # And the conversation goes on, at another process.
    user.http.base_url = api.url
    assert [(user.ended(each)["status"], user.ended(each)["usage"]["requests"]) for each in waiting] == [
        ("completed", 1),
        ("completed", 1),
    ]
    assert user.ask("And?", conversation)["status"] == "completed"
    path = user.get(f"conversations/{conversation}/messages/").json()["results"]
    assert [message["content"][0]["text"] for message in path[2::2]] == ["One", "Two", "And?"]
    assert len(path) == 8


def test_a_process_killed_before_the_answer_began_has_its_request_booked(doomed: ServerProcess, user: Api) -> None:
    id = user.begin("[[sandbox: delay=30]]")["id"]
    until(lambda: Turn.objects.get(pk=id).requests_sent)
    doomed.kill()
    turn = ended(id)
    assert turn.status == "interrupted"
    assert Usage.objects.get(turn=turn).source == "estimate"


def test_a_process_that_slept_past_its_lease_writes_nothing_more(doomed: ServerProcess, user: Api) -> None:
    id = user.begin("[[sandbox: words=300; pace=0.02]]")["id"]
    user.events(id, limit=10)
    doomed.process.send_signal(signal.SIGSTOP)
    turn = ended(id)
    before = list(turn.pieces.values("start", "end", "events"))
    doomed.process.send_signal(signal.SIGCONT)
    # The process is alive, notices that it has lost the turn, and continues with other turns.
    assert user.ask("Are you well?")["status"] == "completed"
    time.sleep(1)
    turn.refresh_from_db()
    assert turn.status == "interrupted"
    assert list(turn.pieces.values("start", "end", "events")) == before
    assert turn.messages.count() == 1
    assert Usage.objects.filter(turn=turn).count() == 1


def test_a_queued_turn_whose_process_died_is_taken_by_another(database: str, sandbox: Sandbox, api: Api) -> None:
    """It was created by a process that runs no turns, and that died before it notified anybody."""
    with ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_RUN_TURNS="false") as web:
        with Api(web.url) as user:
            turn = Turn.objects.get(pk=user.begin("Hello")["id"])
        web.kill()
    assert ended(str(turn.pk)).status == "completed"


def test_a_turn_that_was_to_be_stopped_ends_as_stopped(doomed: ServerProcess, user: Api) -> None:
    id = user.begin("[[sandbox: words=500; pace=0.02]]")["id"]
    user.events(id, limit=5)
    doomed.kill()
    Turn.objects.filter(pk=id).update(cancel_requested_at="2026-01-01T00:00:00Z")
    assert ended(id).status == "cancelled"
