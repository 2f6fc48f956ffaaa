"""A reader resumes at any position, over either transport, on any process, at any time, and misses nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import aiohttp
import pytest

from conversations.content.folding import fold
from conversations.content.transcript import cut
from conversations.contract.transcript_events import Event
from conversations.models import Piece, Turn
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.processes import ServerProcess
from tests.resuming import Client, Reader

LIVE = "[[sandbox: words=12; pace=0.05; thinking]]"  # about a hundred positions in a second or two
BRIEF = {"COLLOQUY_LEASE": "2"}


@pytest.fixture(scope="module")
def another(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a second process on the same database."""
    with ServerProcess("uvicorn", database, sandbox.url, **BRIEF) as process:
        yield process


def read_from(url: str, api: Api, turn: str, positions: range, *, socket: bool) -> list[Reader]:
    """Read a turn from each of the positions concurrently, to the end; return the readers."""

    async def all() -> list[Reader]:
        readers = [Reader(turn, position) for position in positions]
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            client = Client(session, [url], api.token, random.Random(1))
            reads = (client.read(reader, cuts=[], socket=socket) for reader in readers)
            async with asyncio.timeout(120):
                await asyncio.gather(*reads)
        assert not client.broken
        return readers

    return asyncio.run(all())


def transcript(turn: str) -> list[Event]:
    return [event for piece in Piece.objects.filter(turn_id=turn).order_by("start") for event in piece.events]


def assert_all_fold_to_the_same(readers: list[Reader], turn: str, starts: range) -> None:
    whole = transcript(turn)
    for start, reader in zip(starts, readers, strict=True):
        before, after = cut(whole, start)
        assert fold(before + reader.seen) == fold(whole)
        assert "".join(map(str, fold(after))) == "".join(map(str, fold(reader.seen)))
    messages = Turn.objects.get(pk=turn).messages.order_by("id")
    assert [message.content for message in messages] == [each.content for each in fold(whole)]


# The positions at which readers resume, by process and transport: together every position, and so do the SSE streams
# alone. Sockets are fewer, since they cost more, and the server limits them.
SOME = {
    ("the same process", False): slice(0, None, 2),
    ("another process", False): slice(1, None, 2),
    ("the same process", True): slice(1, None, 4),
    ("another process", True): slice(3, None, 4),
}
everywhere = pytest.mark.parametrize(("where", "socket"), SOME)


@everywhere
def test_it_goes_on_at_every_position_of_a_live_turn(
    api: Api, another: ServerProcess, where: str, socket: bool
) -> None:
    turn = api.begin(LIVE, thinking=THINKING, max_tokens=4000)["id"]
    url = api.url if where == "the same process" else another.url
    positions = range(90)[SOME[where, socket]]
    readers = read_from(url, api, turn, positions, socket=socket)
    assert_all_fold_to_the_same(readers, turn, positions)


THINKING = {"type": "enabled", "budget_tokens": 1024}


@everywhere
def test_it_goes_on_at_every_position_of_an_ended_turn(
    api: Api, another: ServerProcess, where: str, socket: bool
) -> None:
    turn = api.ask(LIVE, thinking=THINKING, max_tokens=4000)
    url = api.url if where == "the same process" else another.url
    positions = range(turn["position"])[SOME[where, socket]]
    readers = read_from(url, api, turn["id"], positions, socket=socket)
    assert_all_fold_to_the_same(readers, turn["id"], positions)


def test_it_goes_on_at_every_position_after_the_process_was_killed(api: Api, database: str, sandbox: Sandbox) -> None:
    with ServerProcess("uvicorn", database, sandbox.url, **BRIEF) as dying, Api(dying.url) as user:
        turn = user.begin("[[sandbox: words=500; pace=0.02]]")["id"]
        seen = user.events(turn, limit=20)
        dying.kill()
        every = range(0, seen[-1]["position"], 3)
        positions = [every[::2], every[1::2]]
        readers = [read_from(api.url, user, turn, positions[socket], socket=socket) for socket in (False, True)]
    assert Turn.objects.get(pk=turn).status == "interrupted"
    for each, starts in zip(readers, positions, strict=True):
        assert_all_fold_to_the_same(each, turn, starts)
    assert fold(cut(transcript(turn), seen[-1]["position"])[0]) == fold(seen)


def test_a_reader_may_wait_beyond_the_end_of_a_live_turn(api: Api) -> None:
    turn = api.begin("[[sandbox: words=10; pace=0.05]]")["id"]
    late = api.events(turn, after=40)
    assert late[0]["position"] > 40
    assert late[-1]["type"] == "turn_end"


def test_a_slow_look_at_a_fast_turn_gets_it_in_few_pieces(api: Api) -> None:
    turn = api.ask("[[sandbox: words=400; pace=0]]")["id"]
    assert len(api.events(turn)) < 20
