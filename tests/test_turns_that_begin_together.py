"""Turns that are requested at the same moment are stored together; an error in one affects that one only."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from knox.models import AuthToken

from conversations.database import close_connections, in_database
from conversations.errors import InvalidRequest, NotAuthenticated, NotFound
from conversations.models import Budget, Conversation, Turn, User
from conversations.running.begin_writer import BeginWriter
from conversations.services.accounts import accounts
from conversations.services.accounts.credentials import Credential
from conversations.services.turns.plain_turn_begin import PlainBeginning
from conversations.services.turns.turn_begin import Asker, Created
from conversations.services.turns.turns import Asked, plain_beginning
from tests.clients import Api

Came = Created | BaseException | None
"""The result of beginning a turn: created, refused, or None if it must be begun individually."""

ASKED = Asked(content=[{"type": "text", "text": "Hello?"}])


class One:
    """A user with a conversation, and a question in it."""

    def __init__(self, asked: Asked = ASKED) -> None:
        self.user = User.objects.create(username=f"together-{uuid.uuid4().hex[:12]}")
        self.conversation = Conversation.objects.create(owner=self.user)
        self.who = Asker(self.user, holder=uuid.uuid4())
        self.asks(self.conversation, asked)

    def asks(self, conversation: Conversation, asked: Asked = ASKED) -> None:
        plain = plain_beginning(conversation.pk, asked)
        assert plain is not None
        self.plain: PlainBeginning = plain


@asynccontextmanager
async def writing() -> AsyncIterator[BeginWriter]:
    """Run a writer that stores waiting turns, and yield it."""
    writer = BeginWriter()
    serving = asyncio.create_task(writer.serve())
    await writer.connected.wait()
    try:
        yield writer
        assert not serving.done()
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await close_connections()


def together(*ones: One, before: Callable[[], object] = lambda: None) -> list[Came]:
    """Begin turns at one moment, after calling `before`; return the result or error of each."""

    async def begin() -> list[Came]:
        async with writing() as writer:
            await in_database(before)
            return await asyncio.gather(*(writer.begin(each.who, each.plain) for each in ones), return_exceptions=True)

    return asyncio.run(begin())


def began(came: Came) -> bool:
    return isinstance(came, Created) and Turn.objects.filter(pk=came.turn.pk, status=Turn.RUNNING).exists()


@pytest.fixture
def good(database: str) -> Iterator[list[One]]:
    ones = [One() for _ in range(3)]
    yield ones
    # Nobody runs these turns, and the processes of other tests would spend time on ending them.
    Turn.objects.filter(status=Turn.RUNNING, user__username__startswith="together-").update(
        status=Turn.Status.CANCELLED
    )


def test_turns_that_wait_together_are_stored_in_one_transaction(good: list[One]) -> None:
    came = together(*good)
    assert all(map(began, came))
    turns = Turn.objects.filter(user__in=[each.user for each in good])
    assert len({turn.created_at for turn in turns}) == 1  # the time at which their transaction began
    assert {turn.question.text for turn in turns} == {"Hello?"}


def of_another_user(good: list[One]) -> One:
    one = One()
    one.asks(good[0].conversation)
    return one


def of_no_conversation(good: list[One]) -> One:
    one = One()
    one.conversation.delete()
    return one


def with_a_revoked_token(good: list[One]) -> One:
    one = One()
    token, _ = accounts.issue_token(user=one.user)
    one.who = replace(one.who, credential=Credential.of_token(token))
    AuthToken.objects.filter(pk=token.pk).delete()
    return one


def with_impossible_settings(good: list[One]) -> One:
    return One(Asked(content=ASKED.content, settings={"max_tokens": 10**9}))


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (of_another_user, NotFound),
        (of_no_conversation, NotFound),
        (with_a_revoked_token, NotAuthenticated),
        (with_impossible_settings, InvalidRequest),
    ],
)
def test_what_is_refused_is_refused_alone(
    good: list[One], bad: Callable[[list[One]], One], error: type[Exception]
) -> None:
    *came, refused = together(*good, bad(good))
    assert all(map(began, came))
    assert isinstance(refused, error)


def in_the_same_conversation(good: list[One]) -> One:
    one = One()
    one.user, one.who = good[0].user, replace(good[0].who, turn_id=uuid.uuid4())
    one.asks(good[0].conversation)
    return one


def with_a_used_key(good: list[One]) -> One:
    one = One()
    one.who = replace(one.who, key="once")
    assert all(map(began, together(one)))
    one.who = replace(one.who, turn_id=uuid.uuid4())
    one.asks(Conversation.objects.create(owner=one.user))
    return one


def with_the_key_of_another(good: list[One]) -> One:
    one = One()
    good[0].who = replace(good[0].who, key="at once")
    one.user, one.who = good[0].user, replace(good[0].who, turn_id=uuid.uuid4())
    one.asks(Conversation.objects.create(owner=one.user))
    return one


@pytest.mark.parametrize("other", [in_the_same_conversation, with_a_used_key, with_the_key_of_another])
def test_what_needs_more_than_a_statement_is_left_to_be_begun_alone(
    good: list[One], other: Callable[[list[One]], One]
) -> None:
    came = together(*good, other(good))
    assert sorted(map(began, came)) == [False, True, True, True]
    assert [each for each in came if not began(each)] == [None]


def test_a_turn_under_a_budget_is_left_to_be_begun_alone_since_its_cost_has_to_be_held(good: list[One]) -> None:
    budget = Budget.objects.create(user=good[0].user, limit=1)
    try:
        assert [began(came) for came in together(*good)] == [False, True, True]
    finally:
        budget.delete()


def test_of_turns_at_once_no_more_begin_than_a_limit_leaves_room_for(good: list[One], settings: Any) -> None:
    settings.COLLOQUY_CONCURRENT_TURNS = 2
    for each in good[1:]:
        each.user, each.who = good[0].user, replace(good[0].who, turn_id=uuid.uuid4())
        each.asks(Conversation.objects.create(owner=each.user))
    assert sum(map(began, together(*good))) == 2


def test_nobody_waits_for_a_row_that_another_transaction_has_locked(good: list[One], settings: Any) -> None:
    settings.COLLOQUY_CONCURRENT_TURNS = 2
    with transaction.atomic():
        Conversation.objects.select_for_update().get(pk=good[0].conversation.pk)
        User.objects.select_for_update(no_key=True).get(pk=good[1].user.pk)
        assert [began(came) for came in together(*good)] == [False, False, True]


def test_a_lost_connection_is_replaced_while_they_wait(good: list[One]) -> None:
    def cut() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SET lock_timeout%%'"
                " AND datname = current_database() AND state = 'idle'"
            )

    assert all(map(began, together(*good, before=cut)))


@contextmanager
def cut_at_the_commit(one: One) -> Iterator[None]:
    """Have Postgres close the connection that commits a turn of this user, before the commit."""
    name = f"cut_{one.user.pk.hex}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.user_id = '{one.user.pk}' THEN "
            "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); "
            "END IF; RETURN NULL; END $$"
        )
        cursor.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER INSERT ON conversations_turn DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP FUNCTION {name} CASCADE")


def test_turns_are_begun_together_again_after_a_commit_whose_answer_was_lost(good: list[One]) -> None:
    first, second, _ = good

    async def one_after_the_other() -> tuple[Came, Came]:
        async with writing() as writer:
            lost = await asyncio.gather(writer.begin(first.who, first.plain), return_exceptions=True)
            return lost[0], await writer.begin(second.who, second.plain)

    with cut_at_the_commit(first):
        lost, came = asyncio.run(one_after_the_other())
    assert isinstance(lost, OperationalError)
    assert began(came)


def test_who_waits_for_a_row_that_somebody_has_locked_holds_up_nobody_else(api: Api, other: Api) -> None:
    blocked, free = api.conversation(), other.conversation()
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            Conversation.objects.select_for_update().get(pk=blocked)
            waiting = threads.submit(api.ask, "Hello?", blocked)
            began = time.monotonic()
            while time.monotonic() < began + 1:
                assert other.ask("Hello?", free)["status"] == "completed"
            assert not waiting.done()
        assert waiting.result()["status"] == "completed"
