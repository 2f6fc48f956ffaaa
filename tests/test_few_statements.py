"""Turns and read requests take few SQL statements, counted between a process of the platform and PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from conversations.database import PLANNED_ONCE, close_connections, connected, execute_prepared, prepared
from conversations.models import Budget, Price
from conversations.sandbox.server import Sandbox
from tests.benchmarks.life.statements import Counts, counted
from tests.clients import Api
from tests.processes import ServerProcess

ASKED = 'Say [[sandbox: text="One two three."; one_chunk]]'
PACED = "Say [[sandbox: words=5; pace=0.03]]"
LIMITS = {
    "COLLOQUY_TURNS_PER_MINUTE": "600",
    "COLLOQUY_CONCURRENT_TURNS": "200",
    "COLLOQUY_TOKENS_PER_MINUTE": "4000000",
    "COLLOQUY_REQUESTS_PER_MINUTE": "6000",
}
"""The default limits, which the processes of other tests switch off."""

MOST_STATEMENTS = 6
"""For a turn whose answer comes at once: checks, beginning, a flush with its notification, end, one to spare."""
MOST_TRANSACTIONS = 4

MOST_OF_FIVE_DELTAS = 7, 6
"""Statements of a turn whose deltas come one by one: two to begin, three flushes, end, one to spare; transactions."""

MOST_WITH_A_BUDGET = 9
"""The same with budgets: which of them apply, their rows, prices and the hold."""
MOST_OF_A_FOLLOWING_ONE = 11
"""The same with the path of the conversation, and Claude's token counts for it."""


@pytest.fixture(scope="module")
def watched(database: str, sandbox: Sandbox) -> Iterator[tuple[Api, Counts]]:
    """Provide a user of a process whose statements are counted, and the counts."""
    counts, counting = Counts(), threading.Event()
    loop = asyncio.new_event_loop()
    addresses: list[str] = []

    async def relay() -> None:
        async with counted(database, counts) as address:
            addresses.append(address)
            counting.set()
            await over.wait()

    over = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(relay(),))
    thread.start()
    counting.wait(30)
    try:
        with ServerProcess("uvicorn", addresses[0], sandbox.url, **LIMITS) as server, Api(server.url) as api:
            yield api, counts
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
        loop.close()


def least(watched: tuple[Api, Counts], work: Callable[[Api], None]) -> tuple[int, int]:
    """Return the least number of statements and of transactions that a piece of work takes.

    The process renews its lease and runs its sweeps meanwhile: the least of several runs is the work's own cost.
    """
    api, counts = watched
    taken = []
    for _ in range(8):
        statements, transactions = counts.statements, counts.transactions
        work(api)
        taken.append((counts.statements - statements, counts.transactions - transactions))
    return min(each for each, _ in taken), min(each for _, each in taken)


def a_turn(api: Api, asked: str = ASKED, conversation: str | None = None) -> None:
    headers = {"Accept": "text/event-stream"}
    path = f"/api/conversations/{conversation or api.conversation()}/turns/"
    assert "turn_end" in api.http.post(path, json={"content": asked}, headers=headers).text


def a_conversation(api: Api) -> None:
    api.conversation()


def turn_alone(watched: tuple[Api, Counts], turn: Callable[[Api], None] = a_turn) -> tuple[int, int]:
    """Return the statements and transactions of a turn, without those of creating its conversation."""
    whole, creation = least(watched, turn), least(watched, a_conversation)
    return whole[0] - creation[0], whole[1] - creation[1]


def test_a_turn_takes_few_statements_with_the_default_limits(watched: tuple[Api, Counts]) -> None:
    statements, transactions = turn_alone(watched)
    assert statements <= MOST_STATEMENTS
    assert transactions <= MOST_TRANSACTIONS


def test_a_turn_of_several_deltas_takes_few_flushes(watched: tuple[Api, Counts]) -> None:
    statements, transactions = turn_alone(watched, lambda api: a_turn(api, PACED))
    assert statements <= MOST_OF_FIVE_DELTAS[0]
    assert transactions <= MOST_OF_FIVE_DELTAS[1]


def test_a_turn_takes_few_statements_with_prices_of_the_platforms_own(watched: tuple[Api, Counts]) -> None:
    price = Price.objects.create(model="nobody's-*", valid_from=date(2020, 1, 1), input=1, output=1)
    try:
        statements, transactions = turn_alone(watched)
    finally:
        price.delete()
    assert statements <= MOST_STATEMENTS
    assert transactions <= MOST_TRANSACTIONS


def test_a_turn_takes_few_statements_with_a_budget(watched: tuple[Api, Counts]) -> None:
    budget = Budget.objects.create(user=watched[0].user, limit=1000)
    try:
        statements, transactions = turn_alone(watched)
    finally:
        budget.delete()
    assert statements <= MOST_WITH_A_BUDGET
    assert transactions <= MOST_TRANSACTIONS


def test_a_question_that_follows_an_answer_takes_few_statements_with_a_budget(watched: tuple[Api, Counts]) -> None:
    conversation = watched[0].conversation()
    a_turn(watched[0], conversation=conversation)
    budget = Budget.objects.create(user=watched[0].user, limit=1000)
    try:
        statements, _ = least(watched, lambda api: a_turn(api, conversation=conversation))
    finally:
        budget.delete()
    assert statements <= MOST_OF_A_FOLLOWING_ONE


@pytest.mark.parametrize(("path", "most"), [("conversations/", 1), ("conversations/{}/messages/", 1), ("me/", 2)])
def test_a_request_that_reads_takes_few_statements(watched: tuple[Api, Counts], path: str, most: int) -> None:
    conversation = watched[0].conversation()

    def read(api: Api) -> None:
        assert api.get(path.format(conversation)).status_code == 200

    assert least(watched, read)[0] <= most


def test_a_statement_of_the_hot_path_is_parsed_once_for_a_connection(database: str) -> None:
    for number in range(2):
        assert prepared("SELECT %(number)s::int AS once", {"number": number}) == [(number,)]
    known = prepared("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %(like)s", {"like": "%AS once"})
    assert known == [(1,)]


async def test_a_statement_that_begins_or_ends_turns_is_planned_once_whatever_the_values(database: str) -> None:
    connection = await connected(PLANNED_ONCE)
    for number in range(3):
        await execute_prepared(connection, "SELECT %(number)s::int AS planned", {"number": number})
    plans = await connection.execute(
        "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%AS planned'"
    )
    assert await plans.fetchall() == [(3, 0)]
    await close_connections()
